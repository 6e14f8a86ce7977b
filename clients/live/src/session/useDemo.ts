import { useQuery } from '@tanstack/react-query'
import { useSession } from './useSession'

/** Somebody whom a demo offers to be; without a tenant: an operator. */
export interface DemoPerson {
  readonly tenant: string | null
  readonly username: string
  readonly password: string
  readonly description: string
}

/** Return the people of the demo; undefined while that is unknown, and where this is none. */
export function useDemo(): readonly DemoPerson[] | undefined {
  const { session } = useSession()
  const { data } = useQuery({
    queryKey: ['demo'],
    queryFn: async () => ((await session.web.call('GET', '/demo')) as { people: DemoPerson[] }).people,
    staleTime: Infinity,
    gcTime: Infinity,
  })
  return data
}
