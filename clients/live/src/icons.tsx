/** The few pictures of the page. None says anything that words beside it do not. */
import type { ReactNode, SVGProps } from 'react'

const Icon = (props: SVGProps<SVGSVGElement>): ReactNode => (
  <svg
    viewBox="0 0 16 16"
    width="16"
    height="16"
    fill="none"
    stroke="currentColor"
    strokeWidth="1.6"
    strokeLinecap="round"
    strokeLinejoin="round"
    aria-hidden="true"
    focusable="false"
    {...props}
  />
)

export const Lock = (): ReactNode => (
  <Icon className="icon lock">
    <rect x="3.5" y="7" width="9" height="6.5" rx="1.5" />
    <path d="M5.5 7V5a2.5 2.5 0 0 1 5 0v2" />
  </Icon>
)

export const Cross = (): ReactNode => (
  <Icon className="icon">
    <path d="m4 4 8 8m0-8-8 8" />
  </Icon>
)

export const Chevron = (): ReactNode => (
  <Icon className="icon chevron">
    <path d="m4 6 4 4 4-4" />
  </Icon>
)

export const Glass = (): ReactNode => (
  <Icon className="icon glass">
    <circle cx="7" cy="7" r="4.25" />
    <path d="m10.25 10.25 3 3" />
  </Icon>
)

export const Up = (): ReactNode => (
  <Icon className="icon">
    <path d="M8 13V3.5M4 7l4-4 4 4" />
  </Icon>
)

export const Mark = (): ReactNode => (
  <svg className="mark" viewBox="0 0 64 64" width="40" height="40" aria-hidden="true" focusable="false">
    <rect width="64" height="64" rx="15" fill="#0f766e" />
    <path d="M18 16v18a14 14 0 0 0 28 0V16" fill="none" stroke="#fff" strokeWidth="7" strokeLinecap="round" />
    <circle cx="46" cy="16" r="7.5" fill="#fbbf24" />
  </svg>
)
