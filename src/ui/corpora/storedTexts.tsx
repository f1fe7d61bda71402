/** @file Texts stored in this browser, with buttons to delete them. */
import { commands } from '../../lab/page/app';
import { ConfirmButton } from '../parts/confirmButton';
import { bytes, plural } from '../parts/format';
import { useLab } from '../parts/useLab';

export function StoredTexts() {
  const corpora = useLab((state) => state.corpora);
  const stored = corpora.filter((each) => each.stored !== null);
  if (stored.length === 0) return null;
  return (
    <section className="source stored" aria-label="Texts stored in this browser">
      <h3>Stored in this browser</h3>
      <ul>
        {stored.map(({ name, title, stored: about }) => (
          <li key={name}>
            <div className="stored-name">
              <b title={about?.source}>{title}</b>
              {about && (
                <span className="hint">
                  {bytes(about.bytes)} · {plural(about.documents, about.documents > 1 ? 'row' : 'text')} ·{' '}
                  {about.source}
                </span>
              )}
            </div>
            <ConfirmButton
              label="Forget"
              description={`Forget ${title}`}
              confirm={`Free ${bytes(about?.bytes ?? 0)}`}
              onConfirm={() => void commands.forgetText(name)}
            />
          </li>
        ))}
      </ul>
    </section>
  );
}
