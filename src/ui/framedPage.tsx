/** @file What stands in another site's frame instead of the laboratory. */

import './styles.css';

export function FramedPage() {
  return (
    <main className="main">
      <aside className="note wide">
        <div className="note-body">
          <strong>Secateur works in a tab of its own</strong>
          <p>Another site shows it in a frame. Other sites may only show reports, by links with “?embed”.</p>
          <p>
            <a href={location.href} target="_blank" rel="noopener noreferrer">
              Open Secateur
            </a>
          </p>
        </div>
      </aside>
    </main>
  );
}
