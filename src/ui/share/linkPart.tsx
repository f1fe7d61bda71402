/** @file The link of the report: its length, a button that copies it, its QR code. */
import { useRef, useState } from 'react';
import { qrCharacters, type Shareable, safeLinkCharacters } from '../../report/link/share';
import { integer } from '../parts/format';
import { Icon } from '../parts/icons';
import { QrPart, ShorterQrPart } from './qrPart';

export function LinkPart({ link }: { link: Shareable | null }) {
  const field = useRef<HTMLInputElement>(null);
  const [copied, setCopied] = useState<string | null>(null);
  const url = link?.url ?? '';

  async function copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(url);
      setCopied('Copied.');
    } catch {
      // Refused, or the page is not from https: the user copies the selected text.
      field.current?.focus();
      field.current?.select();
      setCopied('The browser does not let the page copy. The link is selected: press Ctrl+C or ⌘C.');
    }
  }

  return (
    <section className="share-link" aria-label="Link">
      <div className="share-line">
        <input
          ref={field}
          type="text"
          className="field"
          aria-label="Link of the report"
          readOnly
          value={url}
          placeholder="Making the link…"
          onFocus={(event) => event.target.select()}
        />
        <button type="button" className="button primary" disabled={!link} onClick={() => void copy()}>
          <Icon name="copy" /> Copy link
        </button>
      </div>
      <p className="hint" role="status">
        {link && `${integer(link.characters)} characters: ${reach(link.characters)}`} {copied && <b>{copied}</b>}
      </p>
      {link && link.leftOut.length > 0 && (
        <div className="note">
          <div className="note-body">
            <strong>The link leaves out, to stay short:</strong>
            <ul>
              {link.leftOut.map((sentence) => (
                <li key={sentence}>{sentence}</li>
              ))}
            </ul>
            <span className="remedy">The file below contains everything.</span>
          </div>
        </div>
      )}
      {link && (link.characters <= qrCharacters ? <QrPart link={link} /> : <ShorterQrPart />)}
    </section>
  );
}

/** Where a link of this length works. */
function reach(characters: number): string {
  if (characters <= qrCharacters) return 'short enough for a QR code.';
  if (characters <= safeLinkCharacters) return 'short enough for mail and chats.';
  return `some chats and mail programs cut links of more than ${integer(safeLinkCharacters)}. Send the file instead.`;
}
