// What htmx leaves to do: one tab stop for each set of stars, arrow keys within it, and after the
// rows have changed the place on the page where somebody was. Without it every page still works.
"use strict";

const groups = () => document.querySelectorAll(".stars [role=group]");

function oneStop(group) {
  const buttons = [...group.children];
  const current = buttons.find((b) => b.ariaPressed === "true") ?? buttons[0];
  for (const button of buttons) button.tabIndex = button === current ? 0 : -1;
}

document.addEventListener("keydown", (event) => {
  const group = event.target.closest?.(".stars [role=group]");
  const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
  if (!group || !step) return;
  const buttons = [...group.children];
  const at = buttons.indexOf(event.target) + step;
  if (at < 0 || at >= buttons.length) return;
  event.preventDefault();
  buttons[at].focus();
});

// Where somebody is: the row, the number of the card in it, and how far each row is scrolled.
let place = null;

document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target.id !== "main") return;
  const active = document.activeElement;
  const row = active?.closest("#main [id]:has(.card)");
  const cards = row ? [...row.querySelectorAll(".card")] : [];
  place = {
    row: row?.id,
    card: cards.indexOf(active?.closest(".card")),
    own: Boolean(active?.closest(".yours")),
    id: active?.id,
    reels: [...document.querySelectorAll(".row .reel")].map((r) => [r.parentElement.id, r.scrollLeft]),
    top: row?.getBoundingClientRect().top,
  };
});

document.addEventListener("htmx:afterSettle", () => {
  groups().forEach(oneStop);
  if (!place) return;
  const { row, card, own, id, reels, top } = place;
  place = null;
  for (const [name, left] of reels) {
    const reel = document.getElementById(name)?.querySelector(".reel");
    if (reel) reel.scrollLeft = left;
  }
  if (id && document.getElementById(id)) return;
  const section = row && document.getElementById(row);
  if (section && top !== undefined) window.scrollBy(0, section.getBoundingClientRect().top - top);
  const cards = section ? section.querySelectorAll(".card") : [];
  const near = cards[Math.min(card, cards.length - 1)] ?? (own ? document.getElementById("yours") : null);
  const target = near?.querySelector(".stars [tabindex='0']") ?? document.getElementById("main");
  if (!document.activeElement || document.activeElement === document.body) {
    target.focus({ preventScroll: true });
  }
});

groups().forEach(oneStop);
