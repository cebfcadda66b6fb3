/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qmp.h"

#include <string.h>

#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <json-glib/json-glib.h>

#define PATIENCE_SECONDS 2

struct Qmp {
    GSocketConnection *connection;
    GDataInputStream *lines;
    char *path;
    pid_t pid;
};

/* The next answer's "return", which the caller unrefs; NULL: none, or an error. */
static JsonNode *receive(Qmp *qmp)
{
    gint64 until = g_get_monotonic_time() + PATIENCE_SECONDS * G_USEC_PER_SEC;

    /* Events come in between, and must not keep us here. */
    while (g_get_monotonic_time() < until) {
        g_autofree char *line =
            g_data_input_stream_read_line(qmp->lines, NULL, NULL, NULL);
        g_autoptr(JsonNode) root = NULL;
        JsonObject *object;

        if (!line) {
            return NULL;
        }
        root = json_from_string(line, NULL);
        if (!root || !JSON_NODE_HOLDS_OBJECT(root)) {
            return NULL;
        }
        object = json_node_get_object(root);
        if (json_object_has_member(object, "return")) {
            return json_object_dup_member(object, "return");
        }
        if (json_object_has_member(object, "error")) {
            return NULL;
        }
    }
    return NULL;
}

/* @arguments is JSON. */
static JsonNode *ask_with(Qmp *qmp, const char *command, const char *arguments)
{
    g_autofree char *line = g_strdup_printf(
        "{\"execute\": \"%s\", \"arguments\": %s}\n", command, arguments);
    GOutputStream *out =
        g_io_stream_get_output_stream(G_IO_STREAM(qmp->connection));

    return g_output_stream_write_all(out, line, strlen(line), NULL, NULL,
                                     NULL) ?
               receive(qmp) :
               NULL;
}

static JsonNode *ask(Qmp *qmp, const char *command)
{
    return ask_with(qmp, command, "{}");
}

Qmp *qmp_open(const char *path)
{
    g_autoptr(GSocketClient) client = g_socket_client_new();
    g_autoptr(GSocketAddress) address = g_unix_socket_address_new(path);
    g_autoptr(GCredentials) peer = NULL;
    g_autoptr(JsonNode) answer = NULL;
    Qmp *qmp = g_new0(Qmp, 1);

    g_socket_client_set_timeout(client, PATIENCE_SECONDS);
    qmp->path = g_strdup(path);
    qmp->connection = g_socket_client_connect(
        client, G_SOCKET_CONNECTABLE(address), NULL, NULL);
    if (qmp->connection) {
        qmp->lines = g_data_input_stream_new(
            g_io_stream_get_input_stream(G_IO_STREAM(qmp->connection)));
        peer = g_socket_get_credentials(
            g_socket_connection_get_socket(qmp->connection), NULL);
        qmp->pid = peer ? g_credentials_get_unix_pid(peer, NULL) : 0;
        answer = ask(qmp, "qmp_capabilities");
    }
    if (!answer || qmp->pid <= 0) {
        qmp_close(qmp);
        return NULL;
    }
    return qmp;
}

void qmp_close(Qmp *qmp)
{
    g_clear_object(&qmp->lines);
    g_clear_object(&qmp->connection);
    g_free(qmp->path);
    g_free(qmp);
}

pid_t qmp_pid(const Qmp *qmp)
{
    return qmp->pid;
}

char *qmp_name(Qmp *qmp)
{
    g_autoptr(JsonNode) answer = ask(qmp, "query-name");
    const char *name = NULL;

    if (answer && JSON_NODE_HOLDS_OBJECT(answer)) {
        name = json_object_get_string_member_with_default(
            json_node_get_object(answer), "name", NULL);
    }
    return name ? g_strdup(name) : g_path_get_basename(qmp->path);
}

guint64 qmp_memory(Qmp *qmp)
{
    g_autoptr(JsonNode) answer = ask(qmp, "query-memory-size-summary");

    if (!answer || !JSON_NODE_HOLDS_OBJECT(answer)) {
        return 0;
    }
    return (guint64)json_object_get_int_member_with_default(
               json_node_get_object(answer), "base-memory", 0) >>
           20;
}

char *qmp_traffic(Qmp *qmp)
{
    g_autoptr(JsonNode) answer =
        ask_with(qmp, "qom-get",
                 "{\"path\": \"/machine\","
                 " \"property\": \"xen-evtchn-traffic\"}");
    const char *path = answer && JSON_NODE_HOLDS_VALUE(answer) ?
                           json_node_get_string(answer) :
                           NULL;

    return path && *path ? g_strdup(path) : NULL;
}

/* Adds the thread of each object in @answer's array. */
static void add_threads(GArray *threads, JsonNode *answer, gboolean is_vcpu)
{
    JsonArray *array = json_node_get_array(answer);

    for (guint i = 0; i < json_array_get_length(array); i++) {
        JsonObject *object = json_array_get_object_element(array, i);
        QmpThread thread = {
            .tid = (pid_t)json_object_get_int_member_with_default(
                object, "thread-id", 0),
            .is_vcpu = is_vcpu,
            .index = is_vcpu ?
                         (unsigned int)json_object_get_int_member_with_default(
                             object, "cpu-index", i) :
                         i + 1,
        };
        gboolean known = thread.tid <= 0;

        /* One thread runs all vCPUs with tcg,thread=single. */
        for (guint k = 0; k < threads->len; k++) {
            known |= g_array_index(threads, QmpThread, k).tid == thread.tid;
        }
        if (!known) {
            g_array_append_val(threads, thread);
        }
    }
}

GArray *qmp_threads(Qmp *qmp)
{
    g_autoptr(JsonNode) cpus = ask(qmp, "query-cpus-fast");
    g_autoptr(JsonNode) io = cpus ? ask(qmp, "query-iothreads") : NULL;
    GArray *threads;
    QmpThread main_thread = { .tid = qmp->pid };

    if (!io || !JSON_NODE_HOLDS_ARRAY(cpus) || !JSON_NODE_HOLDS_ARRAY(io)) {
        return NULL;
    }
    threads = g_array_new(FALSE, FALSE, sizeof(QmpThread));
    add_threads(threads, cpus, TRUE);
    add_threads(threads, io, FALSE);
    g_array_append_val(threads, main_thread);
    return threads;
}
