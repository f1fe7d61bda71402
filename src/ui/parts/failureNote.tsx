/** @file Shows an error and its remedy in place, without a dialog. */
import type { ReactNode } from 'react';
import type { Failure } from '../../lab/contract/failure';
import { Icon } from './icons';

interface Props {
  /** Heading, such as 'Loading failed'. */
  title: string;
  failure: Failure;
  /** Buttons, such as 'Try again'. */
  children?: ReactNode;
}

export function FailureNote({ title, failure, children }: Props) {
  // The user asked for a cancellation, so it is not shown as an error.
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
