// How the results of a search are sorted: what is meant for beginners before what is looked up, and the project's own
// papers last. The numbers above `score` are Sphinx's own.
var Scorer = {
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,

  score: ([page, , , , score]) => {
    const weights = [
      [/^docs\/(index|tutorial)$/, 3],
      [/^docs\/(flask|fastapi|async|privacy)$/, 1],
      [/^docs\/(comparison|benchmarks|glossary|versions|existing-app-shapes)$/, -4],
      [/^(?!docs\/)/, -8],
    ];
    return score + (weights.find(([pattern]) => pattern.test(page)) ?? [null, 0])[1];
  },
};
