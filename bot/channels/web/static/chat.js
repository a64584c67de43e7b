"use strict";
// The farmer's page: shows his words at once, sends them until they have arrived, and listens.
(() => {
  const $ = (id) => document.getElementById(id);
  const log = $("log"), lines = $("lines"), ask = $("ask"), text = $("text"), tray = $("tray");
  const limits = { photos: +log.dataset.photos, bytes: +log.dataset.photoBytes };
  const pending = new Map(); // uid -> message under way or failed
  const held = []; // own lines that came by event before their POST was answered
  const KEEP = "tianwen.unsent", GAP = 300, SIDE = 2048, TITLE = document.title;
  let after = log.dataset.after, picked = [], slow, source, unread = 0;

  const newId = () => {
    if (crypto.randomUUID) return crypto.randomUUID(); // only on https and localhost
    const b = crypto.getRandomValues(new Uint8Array(16));
    b[6] = (b[6] & 15) | 64; b[8] = (b[8] & 63) | 128;
    const hex = [...b].map((one) => one.toString(16).padStart(2, "0")).join("");
    return hex.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, "$1-$2-$3-$4-$5");
  };
  const toEnd = () => { log.scrollTop = 0; }; // the log is a reversed column: 0 is its end
  const bringIn = (node) => { // a long answer is read from its beginning
    if (node && node.offsetHeight > log.clientHeight - 24) node.scrollIntoView({ block: "start" });
    else toEnd();
  };
  const say = (words) => { $("problem").textContent = words; $("problem").hidden = !words; };
  const csrf = () => ask.elements.csrf.value;

  // --- what is shown

  const wait = (isWaiting) => {
    clearTimeout(slow);
    $("typing").hidden = !isWaiting;
    $("slow").hidden = true;
    if (isWaiting) slow = setTimeout(() => { $("slow").hidden = false; toEnd(); }, log.dataset.slow * 1000);
  };
  const stamp = (node) => {
    const before = [...lines.querySelectorAll("[data-at]")].pop();
    const time = node.querySelector(".stamp");
    if (time && time.textContent) time.hidden = Boolean(before) && node.dataset.at - before.dataset.at < GAP;
  };
  const settlePress = (action) => {
    const button = [...lines.querySelectorAll('button[name="press"]')].reverse().find((one) => one.value === action);
    if (!button) return;
    const group = button.closest(".buttons");
    group.className = "buttons done";
    for (const one of group.querySelectorAll("button")) one.disabled = true;
    button.classList.add("chosen");
  };
  const add = (line) => {
    if (line.press) settlePress(line.press);
    if (!line.html) return;
    const known = lines.querySelector(`[data-message="${line.message}"]`);
    const node = document.createRange().createContextualFragment(line.html).querySelector("article");
    if (known) { node.querySelector(".stamp").hidden = true; known.replaceWith(node); return; }
    const isAtEnd = log.scrollTop > -120;
    stamp(node);
    lines.append(node);
    if (line.side === "bot") {
      wait(false);
      if (document.hidden) document.title = `（${++unread}）${TITLE}`;
    }
    if (isAtEnd) bringIn(node); else $("below").hidden = false;
  };
  const release = () => { if (![...pending.values()].some((one) => one.isFlying)) held.splice(0).forEach(add); };

  // --- what is sent

  const remember = () => {
    const kept = [...pending.values()].filter((one) => one.node && one.fields.text)
      .map((one) => ({ uid: one.uid, text: one.fields.text }));
    try { sessionStorage.setItem(KEEP, JSON.stringify(kept)); } catch { /* private mode */ }
  };
  const shrink = async (file) => { // saves the farmer's data; any failure sends the original
    if (file.size < 600000) return file;
    try {
      const image = await createImageBitmap(file);
      const scale = Math.min(1, SIDE / Math.max(image.width, image.height));
      const canvas = document.createElement("canvas");
      canvas.width = Math.round(image.width * scale);
      canvas.height = Math.round(image.height * scale);
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
      const small = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.85));
      return small && small.size < file.size ? small : file;
    } catch { return file; }
  };
  const bodyOf = async (message) => {
    const body = new FormData();
    body.set("csrf", csrf());
    body.set("uid", message.uid);
    if (message.fields.text) body.set("text", message.fields.text);
    if (message.fields.press) body.set("press", message.fields.press);
    for (const file of message.fields.photos || []) body.append("photos", await shrink(file), "photo");
    return body;
  };
  const post = (body, onProgress) => new Promise((done) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/send");
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    request.timeout = 180000;
    request.upload.onprogress = (event) => { if (event.lengthComputable) onProgress(event.loaded / event.total); };
    request.onload = () => done({ status: request.status, ...(request.response || {}) });
    request.onerror = request.ontimeout = () => done({ status: 0 });
    request.send(body);
  });
  const fetchPage = async () => {
    const page = await (await fetch("/", { credentials: "same-origin" })).text();
    return new DOMParser().parseFromString(page, "text/html");
  };
  const renew = async () => { // the session is gone: take a new one, keep what is on the page
    const page = await fetchPage();
    const token = page.querySelector("#ask [name=csrf]").value;
    for (const field of document.querySelectorAll("[name=csrf]")) field.value = token;
    after = page.getElementById("log").dataset.after;
    listen();
  };
  const reconcile = async () => { // the server knew this message already: show what it has
    const page = await fetchPage();
    lines.replaceChildren(...page.getElementById("lines").children);
    for (const one of pending.values()) if (one.node) lines.append(one.node);
    after = page.getElementById("log").dataset.after;
    wait(!page.getElementById("typing").hidden);
    listen();
  };
  const paint = (message, state) => {
    if (message.group) {
      message.group.className = `buttons ${state === "sending" ? "sending" : ""}`;
      for (const one of message.group.querySelectorAll("button")) one.disabled = state === "sending";
      message.button.classList.toggle("chosen", state === "sending");
    } else {
      message.node.className = `line mine ${state}`;
      message.node.querySelector(".again").hidden = state !== "failed";
      message.node.querySelector("progress").hidden = state !== "sending" || !message.fields.photos.length;
    }
  };
  const arrived = async (message, answer) => {
    pending.delete(message.uid);
    if (message.node) {
      message.node.className = "line mine";
      message.node.querySelector("progress").remove();
      message.node.querySelector(".again").remove();
    }
    if (message.fields.press) settlePress(message.fields.press);
    if (answer.message === null) { await reconcile(); return; }
    if (message.node) message.node.dataset.message = answer.message;
    if (!message.isAnswered) wait(true);
  };
  const failed = (message, answer) => {
    paint(message, "failed");
    if (answer.status === 400 || answer.status === 413) { // it will never be taken: give it back
      pending.delete(message.uid);
      if (message.node) { message.node.remove(); text.value = text.value || message.fields.text || ""; grow(); }
    }
    say(answer.error || (message.group ? "没发出去，请再点一次。" : ""));
  };
  const deliver = async (message, isRetry = false) => {
    message.isFlying = true;
    paint(message, "sending");
    const bar = message.node && message.node.querySelector("progress");
    const answer = await post(await bodyOf(message), (part) => { if (bar) bar.value = part; });
    if (answer.status === 403 && !isRetry) {
      try { await renew(); } catch { /* offline */ }
      return deliver(message, true);
    }
    message.isFlying = false;
    if (answer.status === 200) await arrived(message, answer); else failed(message, answer);
    remember();
    release();
  };
  const start = (message) => { pending.set(message.uid, message); remember(); say(""); deliver(message); };

  const bubble = (uid, fields) => {
    const node = $("mine").content.firstElementChild.cloneNode(true);
    const box = node.querySelector(".bubble");
    if (fields.text) {
      const words = document.createElement("p");
      words.className = "typed";
      words.textContent = fields.text;
      box.append(words);
    }
    if (fields.photos.length) {
      const grid = document.createElement("div");
      grid.className = fields.photos.length > 1 ? "photos" : "photos one";
      for (const file of fields.photos) grid.append(preview(file));
      box.append(grid);
    }
    const message = { uid, fields, node };
    node.querySelector(".again").onclick = () => { if (!message.isFlying) start(message); };
    document.querySelector(".examples")?.remove();
    lines.append(node);
    toEnd();
    return message;
  };
  const preview = (file) => {
    const image = document.createElement("img");
    image.alt = "要发的照片";
    image.src = URL.createObjectURL(file);
    return image;
  };

  // --- what the farmer does

  const grow = () => { text.style.height = "auto"; text.style.height = `${text.scrollHeight + 2}px`; };
  const showTray = () => {
    tray.replaceChildren(...picked.map((file, place) => {
      const figure = document.createElement("figure"), remove = document.createElement("button");
      remove.type = "button"; remove.textContent = "×"; remove.setAttribute("aria-label", "不发这张");
      remove.onclick = () => { picked.splice(place, 1); showTray(); };
      figure.append(preview(file), remove);
      return figure;
    }));
    tray.hidden = !picked.length;
  };
  $("photos").onchange = (event) => {
    const all = picked.concat([...event.target.files]);
    picked = all.slice(0, limits.photos);
    say(all.length > limits.photos ? `一次最多发 ${limits.photos} 张照片。` : "");
    event.target.value = "";
    showTray();
  };
  ask.onsubmit = (event) => {
    event.preventDefault();
    const fields = { text: text.value.trim(), photos: picked };
    if (!fields.text && !picked.length) { text.focus(); return; }
    picked = []; showTray(); text.value = ""; grow();
    start(bubble(newId(), fields));
  };
  $("below").onclick = toEnd;
  log.addEventListener("scroll", () => { if (log.scrollTop > -120) $("below").hidden = true; }, { passive: true });
  text.oninput = grow;
  text.onkeydown = (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    ask.requestSubmit();
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest('button[form="press"]');
    if (!button) return;
    event.preventDefault();
    if (button.name === "text") {
      start(bubble(newId(), { text: button.value, photos: [] }));
      return;
    }
    button.dataset.uid ||= newId(); // pressed again after a failure it is the same message
    start({ uid: button.dataset.uid, fields: { press: button.value }, button, group: button.closest(".buttons") });
  });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) { unread = 0; document.title = TITLE; } });
  const resend = () => { for (const one of pending.values()) if (one.node && !one.isFlying) deliver(one); };
  window.addEventListener("online", resend);

  // --- what comes in

  let trouble;
  const quiet = () => { clearTimeout(trouble); trouble = undefined; $("link").hidden = true; };
  const worry = () => {
    trouble ??= setTimeout(() => { $("link").textContent = "网络断了，正在重连…"; $("link").hidden = false; }, 2500);
  };
  const listen = () => {
    if (source) source.close();
    source = new EventSource(`/events?after=${after}`);
    source.onopen = () => {
      const wasAway = trouble !== undefined;
      quiet();
      if (wasAway) resend();
    };
    source.onmessage = (event) => {
      const line = JSON.parse(event.data);
      after = event.lastEventId;
      const isFlying = [...pending.values()].some((one) => one.isFlying);
      if (line.side === "bot" && held.length) for (const one of pending.values()) one.isAnswered = true;
      if (line.side === "mine" && isFlying) held.push(line); else add(line);
    };
    source.onerror = () => {
      worry();
      if (source.readyState === EventSource.CLOSED) setTimeout(() => renew().catch(listen), 5000);
    };
  };

  try {
    for (const one of JSON.parse(sessionStorage.getItem(KEEP) || "[]")) {
      const message = bubble(one.uid, { text: one.text, photos: [] });
      pending.set(one.uid, message);
      paint(message, "failed");
    }
  } catch { /* private mode */ }
  wait(!$("typing").hidden);
  grow();
  if (lines.lastElementChild?.matches(".bot")) bringIn(lines.lastElementChild);
  listen();
})();
