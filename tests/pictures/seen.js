(panels, errors) => {
  const title = (element) => element.closest(panels)?.querySelector("h2, h3, h6")?.textContent.trim() ?? "the page";
  const scrolls = (element) =>
    element.clientWidth > 0 &&
    element.scrollWidth - element.clientWidth > 2 &&
    ["auto", "scroll"].includes(getComputedStyle(element).overflowX);
  const inside = [...document.querySelectorAll(panels)].flatMap((panel) => [...panel.querySelectorAll("*")]);
  return {
    text: document.body.innerText,
    wide: [...new Set(inside.filter(scrolls).map(title))],
    errors: [...document.querySelectorAll(errors)].map(
      (element) => title(element) + ": " + (element.textContent || element.title).trim(),
    ),
  };
};
