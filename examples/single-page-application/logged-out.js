// The provider shows this page in a frame when a person logs out: it tells the application's tabs, and
// empties the tab that it is in, which may have been the application's before.
const query = new URLSearchParams(location.search);
const ended = { iss: query.get("iss"), sid: query.get("sid") };
new BroadcastChannel("logged-out").postMessage(ended);
const session = JSON.parse(sessionStorage.getItem("session"));
if (session?.iss === ended.iss && session.sid === ended.sid) sessionStorage.removeItem("session");
