/** @file Says what the page lacks where its host does not isolate it, and offers a newer build. Absent where all is well. */
import { useStore } from 'zustand';
import { type Shortfall, siteStatus } from '../../site/siteStatus';

const reasons: Readonly<Record<Shortfall, string>> = {
  insecure: 'Serve it from https or from this machine.',
  'no-worker': 'The host sends no isolation headers, and this browser runs no service worker for the page.',
  framed: 'Another site shows it in a frame.',
  'next-load': 'It is isolated when you load it again.',
  refused: 'Load it again without holding Shift; if that does not help, this browser does not isolate pages.',
};

export function SiteLine() {
  const { shortfall, newBuild } = useStore(siteStatus);
  if (shortfall === null && newBuild === null) return null;
  return (
    <div className="site-line" role="status" aria-label="Site">
      {shortfall && (
        <span>
          ONNX Runtime’s wasm runs on <b>one thread</b>: the page is not cross-origin isolated. {reasons[shortfall]}
        </span>
      )}
      {newBuild && (
        <span className="new-build">
          A new version is ready.
          <button type="button" className="button small" onClick={newBuild.use}>
            Use it
          </button>
        </span>
      )}
    </div>
  );
}
