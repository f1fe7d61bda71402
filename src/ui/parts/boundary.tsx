/**
 * @file Keeps the page working when one panel throws or its script cannot be loaded. React error boundaries must be
 * classes.
 */
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
    const remedy = 'Reload the page. Your models are still stored in this browser.';
    return (
      <FailureNote title={this.props.title} failure={{ code, message, remedy }}>
        <button type="button" className="button small" onClick={() => location.reload()}>
          Reload
        </button>
      </FailureNote>
    );
  }
}
