// Questions with options: a fieldset with radio buttons each. What is said about an answer appears in a live region that
// stays in place.

let groups = 0;

function makeQuestion(model, { id, question, chosen, options }) {
  const form = document.createElement("form");
  const fieldset = document.createElement("fieldset");
  const legend = document.createElement("legend");
  legend.innerHTML = question;
  fieldset.append(legend);
  const group = `coldstart-choice-${(groups += 1)}`;
  for (const { letter, text } of options) {
    const label = document.createElement("label");
    const radio = document.createElement("input");
    radio.type = "radio";
    radio.name = group;
    radio.value = letter;
    radio.checked = letter === chosen;
    radio.setAttribute("data-lm-suppress-shortcuts", "true");
    const words = document.createElement("span");
    words.innerHTML = `${letter}) ${text}`;
    label.append(radio, words);
    fieldset.append(label);
  }
  const button = document.createElement("button");
  button.type = "submit";
  button.textContent = model.get("button");
  button.setAttribute("data-lm-suppress-shortcuts", "true");
  const buttons = document.createElement("div");
  buttons.className = "coldstart-buttons";
  buttons.append(button);
  const status = document.createElement("div");
  status.className = "coldstart-said";
  status.setAttribute("role", "status");
  status.setAttribute("aria-live", "polite");
  form.append(fieldset, buttons, status);

  const show = (fill) => {
    status.replaceChildren();
    setTimeout(() => fill(status), 60);
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const answer = form.querySelector("input:checked");
    if (answer) {
      model.send({ id, letter: answer.value });
    } else {
      show((region) => (region.textContent = "Choose one of the options first."));
    }
  });
  const showAnswer = () => {
    const said = model.get("said");
    if (said.id === id) show((region) => (region.innerHTML = said.html));
  };
  return { form, showAnswer };
}

function render({ model, el }) {
  const root = document.createElement("div");
  root.className = "coldstart-widget";
  const asked = model.get("questions").map((question) => makeQuestion(model, question));
  const showAnswers = () => asked.forEach(({ showAnswer }) => showAnswer());
  root.append(...asked.map(({ form }) => form));
  el.append(root);
  model.on("change:said", showAnswers);
  showAnswers();
  return () => model.off("change:said", showAnswers);
}

export default { render };
