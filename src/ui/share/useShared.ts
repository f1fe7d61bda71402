/** @file The report of the open model and its link, made again whenever something new was measured. */
import { useEffect, useState } from 'react';
import { type Failure, toFailure } from '../../lab/contract/failure';
import { commands } from '../../lab/page/app';
import { type Shareable, shareable } from '../../report/link/share';
import type { ModelRecord } from '../../report/record';
import { useLab } from '../parts/useLab';

export interface Shared {
  /** Null until it is read. */
  readonly record: ModelRecord | null;
  /** Null until it is made, and where that failed. */
  readonly link: Shareable | null;
  /** Why there is no link: the report is too long for one. */
  readonly failure: Failure | null;
}

/** Between the last letter that the author types and the new link, ms. */
const quietMs = 150;

/** @param longest the link leaves out what a reader needs least until it has no more characters; by default as `shareable` does */
export function useShared(longest?: number): Shared {
  const words = useLab((state) => state.words);
  const record = useRecord();
  const [made, setMade] = useState<Pick<Shared, 'link' | 'failure'>>({ link: null, failure: null });
  useEffect(() => {
    if (!record) return;
    let stale = false;
    const timer = setTimeout(() => {
      shareable(record, { ...words, page: location.href, ...(longest !== undefined && { longest }) }).then(
        (link) => stale || setMade({ link, failure: null }),
        (thrown: unknown) => stale || setMade({ link: null, failure: toFailure(thrown) }),
      );
    }, quietMs);
    return () => {
      stale = true;
      clearTimeout(timer);
    };
  }, [record, words, longest]);
  return { record: record && withWords(record, words), ...made };
}

function withWords(record: ModelRecord, { title, notes }: { title?: string; notes?: string }): ModelRecord {
  return { ...record, ...(title ? { title } : {}), ...(notes ? { notes } : {}) };
}

/** The laboratory's record, read again when the page's numbers change. */
function useRecord(): ModelRecord | null {
  const [record, setRecord] = useState<ModelRecord | null>(null);
  const comparison = useLab((state) => state.comparison);
  const scores = useLab((state) => state.scores);
  const subBlockScores = useLab((state) => state.subBlockScores);
  const searches = useLab((state) => state.searches);
  const evolution = useLab((state) => state.evolution);
  // biome-ignore lint/correctness/useExhaustiveDependencies: these are what the record is made of
  useEffect(() => {
    let stale = false;
    void commands.readReport().then((read) => {
      if (!stale && read) setRecord(read);
    });
    return () => {
      stale = true;
    };
  }, [comparison, scores, subBlockScores, searches, evolution]);
  return record;
}
