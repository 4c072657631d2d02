// Who takes part: roles, and invitations.

import { useState } from "preact/hooks";
import type { Api } from "../api";
import { useDocument } from "./Manage";

const ROLES = ["annotator", "reviewer", "expert", "manager", "admin"];

export function People({ api }: { api: Api }) {
  const { found } = useDocument<{ people: { name: string; roles: string[] }[] }>(api, "manage/people");
  const [name, setName] = useState("");
  const [role, setRole] = useState("annotator");
  const [link, setLink] = useState("");
  const [problem, setProblem] = useState("");
  const invite = async (event: Event) => {
    event.preventDefault();
    setLink("");
    setProblem("");
    try {
      const { token } = await api.post<{ token: string }>("invitations", { name: name.trim(), role });
      setLink(`${location.origin}${location.pathname}#/invite/${encodeURIComponent(token)}`);
      setName("");
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <>
      <table>
        <tbody>
          {(found?.people ?? []).map((person) => (
            <tr key={person.name}>
              <th scope="row">{person.name}</th>
              <td>{person.roles.join(", ")}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <form class="invite" onSubmit={invite} aria-label="Invite">
        <input required maxLength={64} value={name} placeholder="name" aria-label="Name" onInput={(event) => setName(event.currentTarget.value)} />
        <select value={role} aria-label="Role" onChange={(event) => setRole(event.currentTarget.value)}>
          {ROLES.map((each) => (
            <option key={each}>{each}</option>
          ))}
        </select>
        <button>Invite</button>
      </form>
      {link && (
        <p role="status">
          This link works once: <code class="link">{link}</code>
        </p>
      )}
      {problem && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
    </>
  );
}
