/** @file Title and notes of the report, in the author's words. */
import { commands } from '../../lab/page/app';
import { useLab } from '../parts/useLab';

/** Longest words that the fields take: they share the link with the numbers. */
const longest = { title: 120, notes: 1500 } as const;

export function WordsPart() {
  const words = useLab((state) => state.words);
  const { title = '', notes = '' } = words;
  return (
    <div className="share-words">
      <label>
        <span>
          Title <small>optional</small>
        </span>
        <input
          type="text"
          className="field"
          autoComplete="off"
          maxLength={longest.title}
          value={title}
          onChange={(event) => commands.chooseWords({ ...words, title: event.target.value })}
        />
      </label>
      <label>
        <span>
          Notes <small>optional, plain text</small>
        </span>
        <textarea
          className="field"
          rows={2}
          maxLength={longest.notes}
          value={notes}
          onChange={(event) => commands.chooseWords({ ...words, notes: event.target.value })}
        />
      </label>
    </div>
  );
}
