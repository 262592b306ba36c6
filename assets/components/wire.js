// The browser's end of inception_lab.figures.wire: a message rests on a base, the full set of arrays that came with an
// earlier message, and brings what follows. What is kept outlives a component that is taken off the page and put back.
const bases = new Map();
const TYPES = { f4: Float32Array, i4: Int32Array };

const unpacked = (type, text) => new TYPES[type](Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);

const joined = (old, [type, from, text]) => {
  const news = unpacked(type, text);
  if (!from) return news;
  const all = new TYPES[type](from + news.length);
  all.set(old.subarray(0, from));
  all.set(news, from);
  return all;
};

// All arrays of a message by name; null if the browser lacks the base, which it then has to ask for.
const received = (name, { base, whole, arrays }) => {
  const same = bases.get(name)?.base === base;
  if (whole && !same) {
    bases.set(name, { base, kept: Object.fromEntries(Object.entries(arrays).map(([key, one]) => [key, joined(null, one)])) });
  } else if (!same) return null;
  const { kept } = bases.get(name);
  if (whole) return kept;
  return { ...kept, ...Object.fromEntries(Object.entries(arrays).map(([key, one]) => [key, joined(kept[key], one)])) };
};
