// Times in the zone of whoever reads them: the server does not know it, and says UTC.
{
  const format = options => new Intl.DateTimeFormat("en-GB", options);
  const exact = format({ dateStyle: "full", timeStyle: "short" }), clock = format({ timeStyle: "short" });
  const now = new Date();

  const day = at => {
    // A day with a change of the clock has 23 or 25 hours.
    const midnight = time => new Date(time).setHours(0, 0, 0, 0);
    const near = { "-1": "yesterday", 0: "today", 1: "tomorrow" }[Math.round((midnight(at) - midnight(now)) / 864e5)];
    const year = at.getFullYear() === now.getFullYear() ? undefined : "numeric";
    return near ?? format({ day: "numeric", month: "short", year }).format(at);
  };

  for (const time of document.querySelectorAll("time[datetime*=T]")) {
    const at = new Date(time.dateTime);
    time.title = exact.format(at);
    if (time.textContent.endsWith(" UTC")) time.textContent = `${day(at)} at ${clock.format(at)}`;
  }
}
