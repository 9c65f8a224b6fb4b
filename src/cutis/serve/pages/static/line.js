// The line to the server, with what it says when it refuses. Pictures go by XMLHttpRequest: fetch cannot tell how far.
export const proof = () => document.querySelector("meta[name=proof]").content;

export class Refused extends Error {
  constructor(status, said, wait) {
    super(`refused: ${status}`);
    this.status = status;
    this.said = said;
    this.wait = wait; // seconds, where it is said how long
  }
}

export class Cut extends Error {}

const SECONDS = 120;

export function send(path, form, { key, onSent }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", path);
    request.timeout = 1000 * SECONDS;
    request.setRequestHeader("accept", "application/json");
    request.setRequestHeader("x-proof", proof());
    request.setRequestHeader("idempotency-key", key);
    request.upload.addEventListener("progress", (event) => event.lengthComputable && onSent(event.loaded / event.total));
    for (const end of ["error", "abort", "timeout"]) request.addEventListener(end, () => reject(new Cut()));
    request.addEventListener("load", () => {
      if (request.status >= 200 && request.status < 300) return resolve(read(request.responseText));
      const wait = Number(request.getResponseHeader("retry-after")) || 0;
      return reject(new Refused(request.status, read(request.responseText), wait));
    });
    request.send(form);
  });
}

// A session that began in another window has another proof: it stands in the head of any page.
export function renewProof() {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("GET", location.pathname);
    request.responseType = "document";
    request.addEventListener("loadend", () => {
      const found = request.status === 200 && request.response?.querySelector("meta[name=proof]");
      if (found) document.querySelector("meta[name=proof]").content = found.content;
      resolve(Boolean(found && found.content));
    });
    request.send();
  });
}

export async function ask(path) {
  let answer;
  try {
    answer = await fetch(path, { headers: { accept: "application/json" } });
  } catch {
    throw new Cut();
  }
  if (!answer.ok) throw new Refused(answer.status, {}, 0);
  return answer.json();
}

export const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

function read(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
