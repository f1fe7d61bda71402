/** @file Several reports on one page: pasted links and dropped files, one chart, one table by device. */
import './compareReports.css';
import { type FormEvent, useEffect, useId, useMemo, useState } from 'react';
import type { Failure } from '../../lab/contract/failure';
import { type Compared, compareReports, mostReports } from '../../report/compared';
import { comparedTasks } from '../../report/comparedTasks';
import { FailureNote } from '../parts/failureNote';
import { integer, plural } from '../parts/format';
import { showLink } from '../report/opened';
import { ReportHeader } from '../report/reportHeader';
import { modelName, reportTitle } from '../report/titles';
import { addressOf, comparedIn, mostAddressCharacters } from './addressed';
import { ComparedGroupCard } from './comparedGroup';
import { type Added, type Entry, entriesOfFiles, entriesOfFragments, entriesOfText, joined } from './entries';
import { deviceOf } from './points';
import { ComparedTasksCard } from './tasksCard';

export default function ComparePage() {
  const [entries, setEntries] = useState<readonly Entry[]>([]);
  const [failures, setFailures] = useState<readonly Failure[]>([]);
  const [ready, setReady] = useState(false);

  useEffect(() => {
    let left = false;
    void entriesOfFragments(comparedIn(location.href) ?? []).then((found) => {
      if (left) return;
      setEntries(found.entries);
      setFailures(found.failures);
      setReady(true);
    });
    return () => {
      left = true;
    };
  }, []);

  const fragments = entries.flatMap(({ fragment }) => (fragment === null ? [] : [fragment]));
  const address = addressOf(fragments);
  const fits = fragments.length === entries.length && address.length <= mostAddressCharacters;
  useEffect(() => {
    if (ready && comparedIn(location.href) !== null) history.replaceState(null, '', fits ? address : addressOf([]));
  }, [ready, fits, address]);

  const take = async (adding: Promise<Added>): Promise<boolean> => {
    const added = await adding;
    const all = joined(entries, added);
    setEntries(all.entries);
    setFailures(all.failures);
    return added.failures.length === 0;
  };
  const records = useMemo(() => entries.map(({ record }) => record), [entries]);
  const compared = useMemo(() => compareReports(records), [records]);
  const tasks = useMemo(() => comparedTasks(records), [records]);
  return (
    <>
      <ReportHeader />
      <main className="main report">
        <section className="card compared-list" aria-labelledby="compare-title">
          <h2 id="compare-title" className="report-title">
            Compare reports
          </h2>
          <AddReports
            onText={(text) => take(entriesOfText(text))}
            onFiles={(files) => void take(entriesOfFiles(files))}
          />
          {failures.map((failure, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: failures have no name, and the list is written anew
            <FailureNote key={index} title="A report could not be read" failure={failure} />
          ))}
          {entries.length > 0 && (
            <ol className="compared-entries">
              {entries.map((entry, index) => (
                <EntryRow
                  key={entry.key}
                  entry={entry}
                  number={index + 1}
                  onRemove={() => setEntries(entries.filter((each) => each !== entry))}
                />
              ))}
            </ol>
          )}
          {entries.length > 1 && <AddressNote fits={fits} characters={location.href.length} />}
        </section>
        {records.length > 0 &&
          compared.groups.map((group) => (
            <ComparedGroupCard key={group.reports.join()} group={group} records={records} />
          ))}
        <ComparedTasksCard tasks={tasks} records={records} />
        <ScoresCard scores={compared.scores} />
      </main>
    </>
  );
}

function AddressNote({ fits, characters }: { fits: boolean; characters: number }) {
  if (!fits) {
    return <p className="hint">These reports are too long for one address: keep their links and files.</p>;
  }
  const limit =
    characters > 2000 ? ' Most mails and chats cut addresses of more than 2,000: put it on a page instead.' : '';
  return (
    <p className="hint">
      The address of this page holds the whole comparison, {integer(characters)} characters: copy it to share.{limit}
    </p>
  );
}

interface RowProps {
  entry: Entry;
  number: number;
  onRemove: () => void;
}

function EntryRow({ entry: { record, fragment }, number, onRemove }: RowProps) {
  const title = reportTitle(record);
  return (
    <li>
      <span className="compared-number">{number}</span>
      {fragment ? (
        <button type="button" className="compared-title" onClick={() => showLink(fragment)}>
          {title}
        </button>
      ) : (
        <b>{title}</b>
      )}
      <span className="soft">
        {modelName(record)} · {deviceOf(record)}
      </span>
      <button type="button" className="button small quiet" aria-label={`Remove “${title}”`} onClick={onRemove}>
        Remove
      </button>
    </li>
  );
}

interface AddProps {
  /** Resolves to whether all of it could be read. */
  onText: (text: string) => Promise<boolean>;
  onFiles: (files: readonly File[]) => void;
}

function AddReports({ onText, onFiles }: AddProps) {
  const id = useId();
  const [text, setText] = useState('');
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (await onText(text)) setText('');
  };
  return (
    <form
      className="compared-add"
      onSubmit={(event) => void submit(event)}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        onFiles([...event.dataTransfer.files]);
      }}
    >
      <label htmlFor={id}>
        Paste links of reports, one after the other, or drop their files here (at most {mostReports})
      </label>
      <textarea
        id={id}
        className="field"
        rows={3}
        spellCheck={false}
        value={text}
        onChange={({ target }) => setText(target.value)}
      />
      <div className="report-actions">
        <button type="submit" className="button primary" disabled={text.trim() === ''}>
          Add
        </button>
        <label className="button file-button">
          Choose files
          <input
            type="file"
            multiple
            className="sr-only"
            accept=".json,application/json"
            onChange={({ target }) => {
              onFiles([...(target.files ?? [])]);
              target.value = '';
            }}
          />
        </label>
      </div>
    </form>
  );
}

function ScoresCard({ scores }: Pick<Compared, 'scores'>) {
  if (scores.length === 0) return null;
  const text = (ranking: Compared['scores'][number]['sameTokens']): string =>
    ranking === null
      ? '–'
      : `${ranking.median.toFixed(3)} (least ${ranking.least.toFixed(3)}, ${plural(ranking.pairs, 'pair')})`;
  return (
    <section className="card" aria-labelledby="ranks-title">
      <h2 id="ranks-title">Do the reports rank the blocks alike?</h2>
      <p className="sub">
        Spearman’s rank correlation of the scores, over pairs of reports of one model: 1 is the same order.
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable from the keyboard */}
      <section className="table-scroll" tabIndex={0} aria-label="Rank correlations of scores">
        <table className="table compared-table">
          <caption className="sr-only">Rank correlations of scores</caption>
          <thead>
            <tr>
              <th scope="col">criterion</th>
              <th scope="col">model</th>
              <th scope="col">reports</th>
              <th scope="col">on the same tokens</th>
              <th scope="col">on other tokens</th>
            </tr>
          </thead>
          <tbody>
            {scores.map(({ name, model, reports, sameTokens, otherTokens }) => (
              <tr key={`${name} ${model.id} ${model.revision}`}>
                <th scope="row">{name}</th>
                <td>{model.id.replace(/^hf:/, '')}</td>
                <td>{reports.map((report) => report + 1).join(', ')}</td>
                <td>{text(sameTokens)}</td>
                <td>{text(otherTokens)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </section>
  );
}
