// The person's side of the local Telegram: shows a chat, and says what is typed. Text is only ever
// put in as text: no answer of an agent becomes markup here.
"use strict";

const TAGS = {
  bold: "strong", italic: "em", underline: "u", strikethrough: "s", code: "code", pre: "pre",
  blockquote: "blockquote", expandable_blockquote: "blockquote", text_link: "a", spoiler: "mark",
};
const log = document.getElementById("log");
const person = document.getElementById("person");
const field = document.getElementById("text");

/** Entities are nested or apart, and their offsets count UTF-16 units, as JavaScript's strings do. */
function format(into, text, entities, from, to) {
  let at = from;
  for (let i = 0; i < entities.length; i++) {
    const { type, offset, length, url } = entities[i];
    if (offset < at || offset + length > to) continue;
    into.append(text.slice(at, offset));
    const element = document.createElement(TAGS[type] ?? "span");
    if (type === "text_link" && /^https?:\/\//.test(url)) Object.assign(element, { href: url, rel: "noreferrer", target: "_blank" });
    format(element, text, entities.slice(i + 1), offset, offset + length);
    into.append(element);
    at = offset + length;
  }
  into.append(text.slice(at, to));
}

function bubble(message) {
  const element = document.createElement("div");
  element.className = message.mine ? "message" : "message person";
  element.dataset.testid = message.mine ? "bot-message" : "person-message";
  const text = message.text ?? message.caption ?? `📎 ${message.document?.file_name ?? "file"}`;
  format(element, text, message.entities ?? [], 0, text.length);
  if (message.edit_date) {
    const note = document.createElement("div");
    note.className = "edited";
    note.textContent = "edited";
    element.append(note);
  }
  for (const button of (message.reply_markup?.inline_keyboard ?? []).flat()) element.append(pressable(message, button));
  return element;
}

function pressable(message, { text, callback_data: data }) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "inline";
  button.textContent = text;
  button.addEventListener("click", async () => {
    const body = JSON.stringify({ chatId: Number(person.value), messageId: message.message_id, data });
    await fetch("/_local/press", { method: "POST", headers: { "Content-Type": "application/json" }, body });
    await refresh();
  });
  return button;
}

let shown = "";
async function refresh() {
  const answer = await fetch(`/_local/chat?id=${person.value}`);
  const messages = (await answer.json()).filter((message) => !message.deleted);
  const now = person.value + JSON.stringify(messages.map((m) => [m.message_id, m.versions.length]));
  if (now === shown) return;
  shown = now;
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  log.replaceChildren(...messages.map(bubble));
  if (atEnd) log.scrollTop = log.scrollHeight;
}

async function say(text) {
  const body = JSON.stringify({ chatId: Number(person.value), name: person.selectedOptions[0].text, text });
  await fetch("/_local/say", { method: "POST", headers: { "Content-Type": "application/json" }, body });
  await refresh();
}

document.getElementById("form").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = field.value.trim();
  field.value = "";
  if (text) say(text);
});
person.addEventListener("change", refresh);

// A deep link: what pressing “Start” in Telegram sends.
const start = new URLSearchParams(location.search).get("start");
if (start) {
  history.replaceState(null, "", location.pathname);
  say(`/start ${start}`);
}
setInterval(() => refresh().catch(() => {}), 500);
refresh();
