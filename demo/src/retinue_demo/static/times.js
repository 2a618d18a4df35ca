// Times in the zone of whoever reads them: the server does not know it, and says UTC. They go on while one reads.
{
  const format = options => new Intl.DateTimeFormat("en-GB", options);
  const exact = format({ dateStyle: "full", timeStyle: "short" }), clock = format({ timeStyle: "short" });

  // A day with a change of the clock has 23 or 25 hours.
  const midnight = time => new Date(time).setHours(0, 0, 0, 0);

  // The server's words.
  const months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
  const day = (at, now) =>
    `${at.getDate()} ${months[at.getMonth()]}${at.getFullYear() === now.getFullYear() ? "" : ` ${at.getFullYear()}`}`;

  const near = (at, now) =>
    ({ "-1": "yesterday", 0: "today", 1: "tomorrow" })[Math.round((midnight(at) - midnight(now)) / 864e5)] ?? day(at, now);

  const ago = (at, now) => {
    const minutes = Math.floor((now - at) / 6e4);
    return minutes < 1 ? "just now" : minutes < 60 ? `${minutes} min ago` : minutes < 1440 ? `${Math.floor(minutes / 60)} h ago` : day(at, now);
  };

  // What the server says tells in which words it is said.
  const ways = [
    [/ UTC$/, (at, now) => `${near(at, now)} at ${clock.format(at)}`],
    [/ ago$|^just now$/, ago],
    [/^\d{1,2} \w{3}( \d{4})?$/, day],
  ];

  const times = [...document.querySelectorAll("time[datetime*=T]")].map(time => {
    const at = new Date(time.dateTime);
    time.title = exact.format(at);
    return [time, at, ways.find(([words]) => words.test(time.textContent.trim()))?.[1]];
  });

  const tell = () => {
    const now = new Date();
    for (const [time, at, way] of times) if (way) time.textContent = way(at, now);
  };

  tell();
  setInterval(tell, 6e4);
}
