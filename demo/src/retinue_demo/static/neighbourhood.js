// Whoever is pointed at, or has the focus, stands out with those to whom they are tied; the rest of the picture fades.
for (const picture of document.querySelectorAll(".graph svg")) {
  const nodes = [...picture.querySelectorAll(".node")], ties = [...picture.querySelectorAll(".ties path")];
  const endsOf = tie => tie.dataset.ends.split(" ").map(Number);

  const isolate = node => {
    const one = nodes.indexOf(node), near = new Set(ties.map(endsOf).filter(ends => ends.includes(one)).flat());
    picture.classList.toggle("isolating", one >= 0);
    nodes.forEach((other, number) => other.classList.toggle("near", number === one || near.has(number)));
    ties.forEach(tie => tie.classList.toggle("near", endsOf(tie).includes(one)));
  };

  // Around it: a picture that listens for the focus can have it itself, for Chromium.
  const around = picture.parentElement;
  for (const kind of ["pointerover", "focusin"]) around.addEventListener(kind, event => isolate(event.target.closest(".node")));
  for (const kind of ["pointerleave", "focusout"]) around.addEventListener(kind, () => isolate(null));
}
