/** The pages of the page: what is shown to somebody who is signed in, by the path of the address. */
import type { ComponentType } from 'react'
import { SignupsPage, type SignupsPageProps } from './signups/SignupsPage'

export interface Route {
  readonly path: string
  readonly Page: ComponentType<SignupsPageProps>
}

const SIGNUPS: Route = { path: '/', Page: SignupsPage }

/** Add a page here, and its path to those that the server answers with the page. */
const ROUTES: readonly Route[] = [SIGNUPS]

export const useRoute = (): Route => ROUTES.find(({ path }) => path === location.pathname) ?? SIGNUPS
