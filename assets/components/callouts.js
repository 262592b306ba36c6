// One update in five numbered callouts; buttons, digits and arrow keys go through them. All of it is in the browser.
const places = new Map(); // which callout was open, by component and update

export default function ({ data, key, parentElement }) {
  const root = parentElement.querySelector(".callouts"), list = root.querySelector("ol");
  const find = (selector) => root.querySelector(selector);
  let at = places.get(key)?.title === data.title ? places.get(key).at : 0;
  find(".title").textContent = data.title;
  list.replaceChildren(...data.cards.map(({ title, numbers, sentence }, place) => {
    const card = document.createElement("li"), head = document.createElement("b"), said = document.createElement("p");
    head.textContent = `${place + 1} ${title}`;
    said.textContent = sentence;
    const facts = document.createElement("dl");
    for (const [name, number] of numbers) {
      const term = document.createElement("dt"), value = document.createElement("dd");
      term.textContent = name;
      value.textContent = number;
      facts.append(term, value);
    }
    card.append(head, facts, said);
    card.onclick = () => go(place);
    return card;
  }));
  const go = (to) => {
    at = Math.min(data.cards.length - 1, Math.max(0, to));
    places.set(key, { title: data.title, at });
    [...list.children].forEach((card, place) => {
      card.classList.toggle("now", place === at);
      if (place === at) card.setAttribute("aria-current", "step"); else card.removeAttribute("aria-current");
    });
    find(".previous").disabled = at === 0;
    find(".next").disabled = at === data.cards.length - 1;
    const { title, numbers, sentence } = data.cards[at];
    find(".spoken").textContent = `${at + 1} of ${data.cards.length}, ${title}. ${numbers.map((pair) => pair.join(": ")).join("; ")}. ${sentence}`;
  };
  find(".previous").onclick = () => go(at - 1);
  find(".next").onclick = () => go(at + 1);
  root.onkeydown = (event) => {
    if (event.key === "ArrowRight" || event.key === "ArrowDown") go(at + 1);
    else if (event.key === "ArrowLeft" || event.key === "ArrowUp") go(at - 1);
    else if (/^[1-9]$/.test(event.key)) go(Number(event.key) - 1);
    else return;
    event.preventDefault();
  };
  go(at);
}
