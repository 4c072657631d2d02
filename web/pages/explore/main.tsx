import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import "ol/ol.css";
import "../../shared/base.css";
import "./style.css";
import type { About, Arrays, View } from "./api";
import { getArrays, getJson, under } from "./api";
import { useAddress } from "./address";
import { Explorer } from "./Explorer";

function App() {
  const { address, go } = useAddress();
  const view: View = { splitSet: address.splitSet, labels: address.labels };
  const [loaded, setLoaded] = useState<{ about: About; arrays: Arrays; view: View } | null>(null);
  const [problem, setProblem] = useState("");
  useEffect(() => {
    let wanted = true;
    Promise.all([getJson<About>(under("corpus", view)), getArrays(view)])
      .then(([about, arrays]) => {
        if (!wanted) return;
        document.title = about.title;
        setProblem("");
        setLoaded({ about, arrays, view });
      })
      .catch((error: Error) => wanted && setProblem(error.message));
    return () => {
      wanted = false;
    };
  }, [view.splitSet, view.labels]);
  if (problem) return <p class="problem alone">The server does not answer: {problem}</p>;
  // Other splits or labels are another page: map, legend and selection begin anew, the rest stands in the address.
  return loaded ? (
    <Explorer key={`${loaded.view.splitSet} ${loaded.view.labels}`} {...loaded} address={address} go={go} />
  ) : (
    <p class="alone quiet">Loading the corpus …</p>
  );
}

const root = document.getElementById("app");
if (root) render(<App />, root);
