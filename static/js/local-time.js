// Adds the reader's local time to every <time datetime>, whose text stays UTC: what was signed is in UTC.
(() => {
  "use strict";
  const format = new Intl.DateTimeFormat(document.documentElement.lang || undefined, {
    dateStyle: "medium", timeStyle: "long",
  });

  function addLocalTime(root) {
    for (const time of root.querySelectorAll("time[datetime]:not([data-local])")) {
      const moment = new Date(time.dateTime);
      if (Number.isNaN(moment.getTime())) continue;
      const local = format.format(moment);
      time.dataset.local = local;
      time.title = time.title ? `${time.title} · ${local}` : local;
    }
  }

  document.addEventListener("DOMContentLoaded", () => addLocalTime(document));
  document.addEventListener("htmx:load", (event) => addLocalTime(event.target));
})();
