// What the page shows.
import * as session from "./session.js";

const at = (id) => document.getElementById(id);

function show(problem = "") {
  const person = session.person();
  at("in").hidden = person === null;
  at("out").hidden = person !== null;
  at("name").textContent = person?.name ?? "";
  at("problem").textContent = problem;
  if (person === null) at("orders").replaceChildren();
}

const press = (id, action) => at(id).addEventListener("click", async () => {
  try {
    show(await action());
  } catch (problem) {
    show(words(problem));
  }
});

// The API says in WWW-Authenticate what it wants (RFC 6750 §3).
function words(problem) {
  const challenge = Array.isArray(problem.cause) ? problem.cause[0]?.parameters : undefined;
  return challenge?.error ? `${challenge.error}: ${challenge.scope ?? ""}` : `${problem.error ?? problem.message}`;
}

press("login", session.logIn);
press("logout", session.logOut);
press("load", async () => {
  const { orders } = await (await session.call("GET", session.orders)).json();
  at("orders").replaceChildren(...orders.map((number) => {
    const item = document.createElement("li");
    item.textContent = number;
    return item;
  }));
});
press("add", () => session.call("POST", session.orders).then(() => "added"));
session.onLogoutElsewhere(show);
try {
  await session.comeBack();
  show();
} catch (problem) {
  show(words(problem));
}
