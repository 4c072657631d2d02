import { render } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import "../../shared/base.css";
import "./style.css";
import "./manage.css";
import type { Campaign } from "./api";
import { Api } from "./api";
import { HttpError } from "../../shared/http";
import { Manage } from "./manage/Manage";
import { Review } from "./manage/Review";
import { Accept, Account, Login } from "./views/Accounts";
import { Ways, rightsOf } from "./views/TopBar";
import { Workplace } from "./views/Workplace";

function useHash(): string {
  const [hash, setHash] = useState(location.hash || "#/");
  useEffect(() => {
    const heard = () => setHash(location.hash || "#/");
    addEventListener("hashchange", heard);
    return () => removeEventListener("hashchange", heard);
  }, []);
  return hash;
}

type Session = "asking" | "out" | "in" | "ended";

function App() {
  const api = useMemo(() => new Api(), []);
  const hash = useHash();
  const [session, setSession] = useState<Session>("asking");
  const [campaign, setCampaign] = useState<Campaign | null>(null);
  const [problem, setProblem] = useState("");

  const enter = async () => {
    try {
      await api.whoami();
      const found = await api.get<Campaign>("campaign");
      document.title = `${found.name} · landloom annotate`;
      setCampaign(found);
      setSession("in");
      setProblem("");
    } catch (error) {
      if (error instanceof HttpError && error.status === 401) setSession("out");
      else setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  useEffect(() => {
    api.onLoggedOut = () => setSession((old) => (old === "in" || old === "ended" ? "ended" : "out"));
    void enter();
  }, []);

  const leave = async () => {
    await api.post("logout").catch(() => undefined);
    // A fresh document keeps nothing of the person who left.
    location.hash = "#/";
    location.reload();
  };
  const again = () => {
    setSession("in");
    dispatchEvent(new Event("online"));
  };

  const invited = /^#\/invite\/(.*)$/.exec(hash);
  if (invited) {
    const done = () => {
      location.hash = "#/";
      void enter();
    };
    return <Accept key={hash} api={api} token={decodeURIComponent(invited[1]!)} onDone={done} />;
  }
  if (problem && !campaign) {
    return (
      <div class="alone">
        <p class="problem">The server does not answer as it should: {problem}</p>
        <button onClick={() => void enter()}>Try again</button>
      </div>
    );
  }
  if (session === "asking") return <p class="alone quiet">Loading …</p>;
  if (session === "out" || !campaign) return <Login api={api} onDone={() => void enter()} />;
  const rights = rightsOf(api);
  const known = /^#\/(manage|review|account)/.test(hash);
  const first = rights.labels ? "#/" : rights.manages ? "#/manage" : rights.reviews ? "#/review" : "#/account";
  const at = known ? hash : first;
  return (
    <>
      {at.startsWith("#/manage") ? (
        <Manage api={api} campaign={campaign} />
      ) : at.startsWith("#/review") ? (
        <Review api={api} campaign={campaign} />
      ) : at.startsWith("#/account") ? (
        <>
          <header class="top">
            <h1>{campaign.name}</h1>
            <Ways api={api} at="#/account" />
          </header>
          <Account api={api} onLogout={() => void leave()} />
        </>
      ) : (
        <Workplace api={api} campaign={campaign} />
      )}
      {session === "ended" && (
        <div class="veil">
          <Login api={api} name={api.me?.name ?? ""} onDone={again} />
        </div>
      )}
    </>
  );
}

const root = document.getElementById("app");
if (root) render(<App />, root);
