/** @file Keeps the page standing when one panel throws or its script does not arrive. A class: React offers no other way. */
import { Component, type ReactNode } from 'react';
import { toLabError } from '../../errors';
import { FailureNote } from './failureNote';

interface Props {
  title: string;
  children: ReactNode;
}

export class Boundary extends Component<Props, { thrown: unknown }> {
  override state: { thrown: unknown } = { thrown: null };

  static getDerivedStateFromError(thrown: unknown): { thrown: unknown } {
    return { thrown };
  }

  override render(): ReactNode {
    const { thrown } = this.state;
    if (thrown === null) return this.props.children;
    const { code, message } = toLabError(thrown);
    const remedy = 'Reload the page; models that were loaded are still stored in this browser.';
    return (
      <FailureNote title={this.props.title} failure={{ code, message, remedy }}>
        <button type="button" className="button small" onClick={() => location.reload()}>
          Reload
        </button>
      </FailureNote>
    );
  }
}
