// How much room a post has left. Without this script the server says when it is too long, and keeps the text.
for (const form of document.querySelectorAll(".composer")) {
  const text = form.querySelector("textarea"), line = form.querySelector("#most");
  const most = Number(line.dataset.most), said = line.textContent;

  const count = () => {
    // As the server counts: an emoji is one.
    const left = most - [...text.value.trim()].length;
    line.classList.toggle("too-many", left < 0);
    line.textContent = left === most ? said : left < 0 ? `${-left} too many` : `${left} left`;
    // Read aloud only where it begins to matter.
    line.ariaLive = left <= 50 ? "polite" : "off";
    text.setCustomValidity(left < 0 ? `A post can have up to ${most} characters. Take out ${-left}.` : "");
  };

  text.addEventListener("input", count);
  count();
}
