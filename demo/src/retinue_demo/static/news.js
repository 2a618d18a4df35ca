// Says that there is more to read than the page shows: somebody has posted, or one follows others now.
{
  const line = document.querySelector("[data-newest]");
  const show = () => (line.hidden = false);

  const ask = async () => {
    if (document.hidden || !line.hidden) return;
    const answer = await fetch(line.dataset.ask, { headers: { Accept: "application/json" }, redirect: "error" }).catch(() => null);
    if (answer?.status === 401) clearInterval(timer);
    if (!answer?.ok) return;
    const { newest } = await answer.json();
    if (String(newest ?? "") !== line.dataset.newest) show();
  };

  const timer = setInterval(ask, 6e4);
  document.addEventListener("visibilitychange", ask);
  // Told by the extension after each change; what was pressed has a message, and whoever was dismissed is gone.
  document.addEventListener("retinue:changed", ({ detail }) => {
    if (detail.message && !detail.gone) show();
  });
}
