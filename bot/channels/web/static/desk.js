"use strict";
// The desk: fresh without a reload, never under a hand that is writing.
(() => {
  const $ = (id) => document.getElementById(id);
  const main = () => document.querySelector("main");
  let source, trouble;

  const isBusy = () => $("photo").open
    || [...document.querySelectorAll("textarea")].some((one) => one.value.trim())
    || [...document.querySelectorAll("input[type=file]")].some((one) => one.files.length);

  const refresh = async () => {
    const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
    const fresh = page.querySelector("main[data-seen]");
    if (!fresh) { location.reload(); return; } // logged out meanwhile
    const opened = [...main().querySelectorAll("details[open] summary")].map((one) => one.textContent);
    main().replaceWith(fresh);
    for (const one of fresh.querySelectorAll("summary")) one.parentElement.open = opened.includes(one.textContent);
    $("fresh").hidden = true;
  };
  $("fresh").onclick = () => location.reload();

  const listen = () => {
    const { events, seen } = main().dataset;
    source = new EventSource(`${events}${events.includes("?") ? "&" : "?"}seen=${seen}`);
    source.onopen = () => { clearTimeout(trouble); trouble = undefined; $("link").hidden = true; };
    source.onmessage = () => { if (isBusy()) $("fresh").hidden = false; else refresh().catch(() => {}); };
    source.onerror = () => {
      trouble ??= setTimeout(() => { $("link").textContent = "网络断了，正在重连…"; $("link").hidden = false; }, 2500);
      if (source.readyState === EventSource.CLOSED) setTimeout(listen, 10000);
    };
  };

  document.addEventListener("click", (event) => {
    const photo = event.target.closest("a[data-photo]");
    if (photo && $("photo").showModal) {
      event.preventDefault();
      $("photo").querySelector("img").src = photo.href;
      $("photo").showModal();
    } else if (event.target === $("photo")) $("photo").close();
  });
  document.addEventListener("change", (event) => {
    if (event.target.type !== "file") return;
    const count = event.target.files.length;
    event.target.nextElementSibling.textContent = count ? `已选 ${count} 张` : "加照片";
  });
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-once]")) return;
    if (event.target.dataset.sent) { event.preventDefault(); return; }
    event.target.dataset.sent = "1";
    const button = event.target.querySelector("button");
    if (button) setTimeout(() => { button.disabled = true; button.textContent = "正在提交…"; });
  });
  window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  if (main() && main().dataset.events) listen();
})();
