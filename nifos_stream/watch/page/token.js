// Ask for the token where the server wants one.

import { keepToken } from "./api.js";
import { byId } from "./dom.js";

let asked = false;

/** Show the dialog, unless it is there; `opened` is called with a new token kept. */
export function demand(opened) {
  const dialog = byId("token");
  if (dialog.open) return;
  byId("token-problem").hidden = !asked;
  byId("token-text").value = "";
  byId("token-form").onsubmit = () => {
    asked = true;
    keepToken(byId("token-text").value.trim());
    opened();
  };
  // It can be left only by a token: without one there is nothing to see.
  dialog.oncancel = (event) => event.preventDefault();
  dialog.showModal();
}
