// Counts the seconds of the demo's codes and shows the next ones when they are over.
(() => {
  "use strict";

  const place = document.querySelector("[data-seconds-left]");
  const end = Date.now() + Number(place.dataset.secondsLeft) * 1000;
  const timer = setInterval(() => {
    const left = Math.ceil((end - Date.now()) / 1000);
    place.textContent = Math.max(left, 0);
    if (left > 0) return;
    clearInterval(timer);
    window.location.reload();
  }, 250);
})();
