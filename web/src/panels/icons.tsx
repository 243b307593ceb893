// Small line drawings.

import type { ComponentChildren } from "preact";

function Icon({ children, size = 18 }: { children: ComponentChildren; size?: number }) {
  return (
    <svg
      class="icon" width={size} height={size} viewBox="0 0 24 24" fill="none" stroke="currentColor"
      stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"
    >
      {children}
    </svg>
  ); // prettier-ignore
}

export const Search = () => (
  <Icon><circle cx="11" cy="11" r="6.5" /><path d="m20 20-4.2-4.2" /></Icon>
); // prettier-ignore
export const Close = () => <Icon><path d="m6 6 12 12M18 6 6 18" /></Icon>; // prettier-ignore
export const Plus = () => <Icon><path d="M12 5v14M5 12h14" /></Icon>; // prettier-ignore
export const Minus = () => <Icon><path d="M5 12h14" /></Icon>; // prettier-ignore
export const Fit = () => (
  <Icon><path d="M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5" /></Icon>
); // prettier-ignore
export const Sun = () => (
  <Icon>
    <circle cx="12" cy="12" r="4" />
    <path d="M12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4" />
  </Icon>
);
export const Moon = () => <Icon><path d="M20 14.5A8.3 8.3 0 0 1 9.5 4a8.3 8.3 0 1 0 10.5 10.5Z" /></Icon>; // prettier-ignore
export const Download = () => (
  <Icon><path d="M12 4v11M7.5 11 12 15.5 16.5 11M5 20h14" /></Icon>
); // prettier-ignore
export const Play = () => <Icon><path d="M8 5.5v13l10.5-6.5Z" fill="currentColor" /></Icon>; // prettier-ignore
export const Pause = () => <Icon><path d="M8.5 6v12M15.5 6v12" /></Icon>; // prettier-ignore
export const Back = () => <Icon><path d="m14.5 6-6 6 6 6" /></Icon>; // prettier-ignore
export const Next = () => <Icon><path d="m9.5 6 6 6-6 6" /></Icon>; // prettier-ignore
export const Warning = () => (
  <Icon><path d="M12 4 2.8 19.5h18.4ZM12 10v4.5M12 17v.1" /></Icon>
); // prettier-ignore
