"use strict";
// Without this script the tree still opens and its links lead to the map; it adds what lies below
// a node shown on the map, the way back from the map, and the search.
const tree = document.querySelector(".tree");
const told = document.querySelector("output");
const leaves = [...tree.querySelectorAll(".leaf")];

function choose(item) {
  tree.querySelectorAll(".chosen").forEach((e) => e.classList.remove("chosen"));
  document.querySelectorAll("circle.on").forEach((e) => e.classList.remove("on"));
  document.querySelectorAll("svg.some").forEach((e) => e.classList.remove("some"));
  document.querySelectorAll(".bounds").forEach((e) => e.setAttribute("hidden", ""));
  if (!item) return;
  item.classList.add("chosen");
  const dots = [...item.querySelectorAll(".leaf")].map((e) => document.getElementById("m" + e.id.slice(1)));
  dots.forEach((dot) => { dot.classList.add("on"); dot.ownerSVGElement.classList.add("some"); });
  if (dots.length < 2) return;
  const xs = dots.map((d) => +d.getAttribute("cx")), ys = dots.map((d) => +d.getAttribute("cy"));
  const frame = dots[0].ownerSVGElement.querySelector(".bounds");
  const left = Math.min(...xs) - 8, top = Math.min(...ys) - 8;
  frame.setAttribute("x", left); frame.setAttribute("width", Math.max(...xs) + 8 - left);
  frame.setAttribute("y", top); frame.setAttribute("height", Math.max(...ys) + 8 - top);
  frame.removeAttribute("hidden");
}

function reveal(leaf) {
  for (let e = leaf.parentElement; e && e !== tree; e = e.parentElement)
    if (e.tagName === "DETAILS") e.open = true;
  leaf.focus();
  leaf.scrollIntoView({ block: "center" });
}

tree.addEventListener("focusin", (event) => choose(event.target.closest("li")));
tree.addEventListener("click", (event) => {
  if (event.target.closest(".leaf")) event.preventDefault();
  if (event.target.closest("summary, .leaf")) choose(event.target.closest("li"));
});
tree.addEventListener("keydown", (event) => { if (event.key === "Escape") choose(null); });
document.querySelectorAll("svg a").forEach((link) => link.addEventListener("click", (event) => {
  event.preventDefault();
  reveal(document.getElementById(link.getAttribute("href").slice(1)));
}));

const opened = new Set(tree.querySelectorAll("details[open]"));
let waiting;
document.querySelector("input").addEventListener("input", (event) => {
  clearTimeout(waiting);
  waiting = setTimeout(() => search(event.target.value.toLowerCase().split(/\s+/).filter(Boolean)), 150);
});

function search(words) {
  choose(null);
  const found = leaves.filter((leaf) => {
    const text = leaf.textContent.toLowerCase();
    const fits = words.every((word) => text.includes(word));
    leaf.parentElement.hidden = !fits;
    return fits && words.length;
  });
  // inner nodes from the bottom up: a node is shown where something below it is
  [...tree.querySelectorAll("details")].reverse().forEach((node) => {
    node.parentElement.hidden = !node.querySelector("li:not([hidden])");
    node.open = words.length ? found.length <= 200 && !node.parentElement.hidden : opened.has(node);
  });
  document.querySelectorAll("svg").forEach((map) => map.classList.toggle("some", words.length > 0));
  found.forEach((leaf) => document.getElementById("m" + leaf.id.slice(1)).classList.add("on"));
  told.value = words.length ? `${found.length} of ${leaves.length} places` : "";
}
