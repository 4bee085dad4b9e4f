"use strict";
// Fetches the thread every two seconds and shows it when it changed. The form below it is never touched, an open editor
// holds the refresh back, and blocks that were unfolded stay unfolded.
const thread = document.getElementById("thread");
if (thread) {
  let shown = null;
  const refresh = async () => {
    if (document.hidden || thread.querySelector("details.editor[open]")) return;
    const answer = await fetch(thread.dataset.refresh).catch(() => null);
    if (!answer || !answer.ok) return;
    const text = await answer.text();
    if (text === shown) return;
    const open = [...thread.querySelectorAll("details")].map((block) => block.open);
    if (thread.querySelector("details.editor[open]")) return;
    shown = text;
    thread.innerHTML = text;
    thread.querySelectorAll("details").forEach((block, i) => { if (open[i]) block.open = true; });
  };
  setInterval(refresh, 2000);
}
