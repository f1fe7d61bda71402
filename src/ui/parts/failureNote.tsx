/** @file What went wrong and what to do, in place: no dialog. */
import type { ReactNode } from 'react';
import type { Failure } from '../../lab/contract/failure';
import { Icon } from './icons';

interface Props {
  /** What was being done, as a heading: 'Loading failed'. */
  title: string;
  failure: Failure;
  /** A button that tries again. */
  children?: ReactNode;
}

export function FailureNote({ title, failure, children }: Props) {
  // Cancelling is what the person asked for: it is said quietly.
  const cancelled = failure.code === 'aborted';
  return (
    <div className={cancelled ? 'note' : 'note failed'} role={cancelled ? 'status' : 'alert'}>
      <Icon name={cancelled ? 'info' : 'alert'} />
      <div className="note-body">
        {!cancelled && <strong>{title}</strong>}
        <p>{failure.message}</p>
        <p className="remedy">{failure.remedy}</p>
        {children && <div className="note-actions">{children}</div>}
      </div>
    </div>
  );
}
