// An exercise's feedback with its buttons. Feedback and hint have a live region each, which stays in place and is emptied
// before it is filled, so that a screen reader hears every answer, also the same one twice.

const SILENCE_MS = 20000;

function liveRegion() {
  const region = document.createElement("div");
  region.className = "coldstart-said";
  region.setAttribute("role", "status");
  region.setAttribute("aria-live", "polite");
  return region;
}

function render({ model, el }) {
  const panel = document.createElement("section");
  panel.className = "coldstart-widget";
  panel.setAttribute("aria-label", `Exercise ${model.get("exercise_id")}: ${model.get("title")}`);
  const regions = { check: liveRegion(), hint: liveRegion() };
  let waiting = null;

  const show = (to, fill) => {
    regions[to].replaceChildren();
    setTimeout(() => fill(regions[to]), 60);
  };
  const say = (to, sentence) => show(to, (region) => (region.textContent = sentence));
  const showAnswer = () => {
    clearTimeout(waiting);
    waiting = null;
    const { to, html } = model.get("said");
    show(to, (region) => (region.innerHTML = html));
    if (to === "check") regions.hint.replaceChildren();
  };

  const buttons = document.createElement("div");
  buttons.className = "coldstart-buttons";
  const addButton = (action, name, busy) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = name;
    button.setAttribute("data-lm-suppress-shortcuts", "true");
    button.addEventListener("click", () => {
      if (waiting !== null) return;
      say(action, busy);
      waiting = setTimeout(() => {
        waiting = null;
        say(action, "No answer from the kernel yet. If it has been restarted, run the notebook from the top.");
      }, SILENCE_MS);
      model.send({ action });
    });
    buttons.append(button);
  };
  addButton("check", "Check", "Checking…");
  addButton("hint", "Hint", "Looking for a hint…");

  panel.append(regions.check, buttons, regions.hint);
  el.append(panel);
  model.on("change:said", showAnswer);
  showAnswer();
  return () => {
    clearTimeout(waiting);
    model.off("change:said", showAnswer);
  };
}

export default { render };
