// SPDX-License-Identifier: Apache-2.0
// Another's library takes our tokens by our key set, whatever key signs: AUTH_URL, and PROGRAM with the settings of that server.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { webcrypto } from 'node:crypto'
import { test } from 'node:test'
import { AuthClient } from '@supabase/auth-js'
import { createRemoteJWKSet, decodeProtectedHeader, errors, jwtVerify } from 'jose'

globalThis.crypto ??= webcrypto // Node 18, which Debian 12 has, keeps it apart

const url = process.env.AUTH_URL
const keys = (...words) => execFileSync(process.env.PROGRAM, ['keys', ...words], { encoding: 'utf8' }).trim()
const keySet = (options) => createRemoteJWKSet(new URL(`${url}/.well-known/jwks.json`), options)
const verify = (token, set) => jwtVerify(token, set, { audience: 'authenticated', typ: 'JWT' })

async function signedUp() {
  const auth = new AuthClient({ url, autoRefreshToken: false, persistSession: false, detectSessionInUrl: false })
  const { data, error } = await auth.signUp({ email: `keys.${crypto.randomUUID()}@example.com`, password: 'correct horse 7 Battery' })

  assert.equal(error, null)
  return { auth, id: data.user.id, token: data.session.access_token }
}

for (const algorithm of ['ES256', 'ES512', 'RS256', 'RS512', 'EdDSA']) {
  test(`takes ${algorithm}, by a key set from before it signed`, async () => {
    const kid = keys('new', '--algorithm', algorithm)
    const set = keySet({ cooldownDuration: 600_000 })
    const before = await signedUp()
    await verify(before.token, set)

    keys('promote', '--now')
    const { id, token } = await signedUp()
    assert.deepEqual(decodeProtectedHeader(token), { alg: algorithm, kid, typ: 'JWT' })
    assert.equal((await verify(token, set)).payload.sub, id)
    await verify(before.token, keySet())
  })
}

test('auth-js verifies by the key set', async () => {
  keys('new', '--algorithm', 'ES256')
  keys('promote', '--now')
  const { auth, id } = await signedUp()
  const { data, error } = await auth.getClaims()

  assert.equal(error, null)
  assert.equal(data.claims.sub, id)
})

test('a retired key is in no key set', async () => {
  const { token } = await signedUp()
  const { kid } = decodeProtectedHeader(token)

  keys('new')
  keys('promote', '--now')
  await verify(token, keySet())
  keys('retire', kid)
  await assert.rejects(verify(token, keySet()), errors.JWKSNoMatchingKey)
})
