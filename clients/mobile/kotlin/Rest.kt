package com.example.usher

import okhttp3.MediaType.Companion.toMediaType
import okhttp3.OkHttpClient
import okhttp3.Request
import okhttp3.RequestBody.Companion.toRequestBody
import okhttp3.Response
import org.json.JSONException
import org.json.JSONObject
import java.io.IOException

/** The server said no; `status` says how, and `leastMs` for how long it wants to be left alone. */
class Refused(val status: Int, val leastMs: Long) : IOException("the server answered $status")

/** Nothing but a new log-in helps. */
class SessionOver(message: String) : Exception(message)

/** Where the tokens are kept: on Android, encrypted by a key of the Keystore. Never in a log or an address. */
interface TokenStore {
    var access: String
    var refresh: String
}

/** The REST calls that a client needs. They block: not for the main thread. */
class Rest(private val origin: String, private val http: OkHttpClient, private val tokens: TokenStore) {
    val access: String get() = tokens.access

    fun logIn(tenant: String, username: String, password: String) {
        val who = JSONObject().put("tenant", tenant).put("username", username).put("password", password)
        keep(post("/api/v1/auth/token", who))
    }

    /** Have a new token in place of a useless one. Throws `SessionOver`, or an `IOException` if it may work later. */
    @Synchronized // a refresh token is good once: two renewals at the same time would end the session
    fun renew(useless: String): String {
        if (tokens.access != useless) return tokens.access
        try {
            keep(post("/api/v1/auth/token/refresh", JSONObject().put("refresh", tokens.refresh)))
        } catch (refused: Refused) {
            if (refused.status == 401 || refused.status == 403) throw SessionOver(refused.message ?: "refused")
            throw refused
        }
        return tokens.access
    }

    /** The newest users that the viewer may see; `before` a user's id: older ones. */
    fun users(before: String? = null): JSONObject {
        val address = "$origin/api/v1/users?limit=50" + (before?.let { "&before=$it" } ?: "")
        fun ask(token: String) = send(Request.Builder().url(address).header("Authorization", "Bearer $token").build())
        val token = tokens.access
        return try {
            ask(token)
        } catch (refused: Refused) {
            if (refused.status == 401) ask(renew(token)) else throw refused
        }
    }

    private fun post(path: String, body: JSONObject): JSONObject {
        val json = body.toString().toRequestBody("application/json".toMediaType())
        return send(Request.Builder().url(origin + path).post(json).build())
    }

    private fun send(request: Request): JSONObject = http.newCall(request).execute().use { answer ->
        val text = answer.body?.string().orEmpty()
        if (!answer.isSuccessful) throw Refused(answer.code, retryAfterMs(answer))
        try {
            JSONObject(text)
        } catch (error: JSONException) {
            throw IOException("the server's answer is no JSON", error)
        }
    }

    private fun keep(pair: JSONObject) {
        val (refresh, access) = listOf("refresh", "access").map { pair.opt(it) as? String }
        if (refresh == null || access == null) throw IOException("the server's answer holds no tokens")
        // The refresh token first: should the process end here, it is the one that must not be lost.
        tokens.refresh = refresh
        tokens.access = access
    }
}

/** What `Retry-After` asks for, a day at most; 0 for none, and for the form that names a date. */
fun retryAfterMs(answer: Response): Long =
    (answer.header("Retry-After")?.toLongOrNull() ?: 0).coerceIn(0, 86_400) * 1000
