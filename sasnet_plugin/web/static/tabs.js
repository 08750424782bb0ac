// The tab of tags before it is open: which kind of measurement lies in the folder is said once.
const problem = document.getElementById("problem");

document.getElementById("begin").addEventListener("submit", async (event) => {
  event.preventDefault();
  const body = JSON.stringify({ kind: document.getElementById("kind").value });
  const answer = await fetch("/api/tagging", { method: "POST", headers: { "Content-Type": "application/json" }, body }).catch(() => null);
  if (answer?.ok) return location.reload();
  problem.textContent = ((await answer?.json().catch(() => null)) || {}).problem || "The server does not answer; start sasnet again.";
  problem.hidden = false;
});
history.replaceState(null, "", location.pathname); // the token is not kept in the history
