/** @file Says which parts of the page's address are ignored, and why. */

import { ignoredText } from '../../lab/page/addressedWork';
import { commands } from '../../lab/page/app';
import { Icon } from './icons';
import { useLab } from './useLab';

export function AddressNote() {
  const notes = useLab((state) => state.addressNotes);
  if (notes.length === 0) return null;
  return (
    <aside className="note wide" role="status" aria-label="A part of the address is ignored">
      <Icon name="info" />
      <div className="note-body">
        <strong>A part of the address is ignored</strong>
        <p>{ignoredText(notes)}</p>
        <div className="note-actions">
          <button type="button" className="button small" onClick={commands.dismissAddressNotes}>
            Close
          </button>
        </div>
      </div>
    </aside>
  );
}
