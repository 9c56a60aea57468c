/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls of the methods that change parameters: the first part of the input chooses the method and
 * the shape of its arguments, the others are the words: "mMODULE", "nNAME", "vVALUE" of the name
 * before. A call is refused for one of the documented reasons, in words that can be shown, or comes
 * to settings that are known, each once, and that our file holds. That a message is well-formed is
 * sd-bus' matter. */

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-bus.h>

#include "catalog.h"
#include "cleanup.h"
#include "dropin.h"
#include "error.h"
#include "fuzz.h"
#include "made-host.h"
#include "operation.h"

static const struct {
        OperationRead read;
        const char *module, *signature;
} methods[] = {
                {operation_read_set_all, NULL, "a{sa{ss}}"}, {operation_read_reset_all, NULL, "a{sas}"},
                {operation_read_set, "kvm_amd", "a{ss}"},    {operation_read_reset, "kvm_amd", "as"},
                {operation_read_reload, "kvm", ""},
};

/* A bus that nobody is at the other end of: messages are only made and read. */
static sd_bus *unconnected(void) {
        static sd_bus *bus;
        int fds[2];

        if (bus)
                return bus;
        g_assert_no_errno(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
        g_assert_cmpint(sd_bus_new(&bus), >=, 0);
        g_assert_cmpint(sd_bus_set_fd(bus, fds[0], fds[0]), >=, 0);
        g_assert_cmpint(sd_bus_start(bus), >=, 0);
        return bus;
}

static const Host *host(void) {
        static const MadeHost made = {.loaded = "kvm_amd.nested=1 kvm_amd.npt=1 kvm_amd.avic=0 kvm.ignore_msrs+=N",
                                      .vendor = "AuthenticAMD"};
        static Host *host;

        if (!host)
                host = made_host(&made);
        return host;
}

static void append_names(sd_bus_message *message, char **words, bool values) {
        for (; *words && **words != 'm'; words++) {
                const char *value = words[1] && *words[1] == 'v' ? words[1] + 1 : "1";
                if (**words == 'n' && values)
                        (void) sd_bus_message_append(message, "{ss}", *words + 1, value);
                else if (**words == 'n')
                        (void) sd_bus_message_append(message, "s", *words + 1);
        }
}

static void append_modules(sd_bus_message *message, char **words, bool values) {
        const char *entry = values ? "sa{ss}" : "sas", *contents = values ? "{ss}" : "s";

        for (; *words; words++) {
                if (**words != 'm' || sd_bus_message_open_container(message, 'e', entry) < 0)
                        continue;
                (void) sd_bus_message_append(message, "s", *words + 1);
                (void) sd_bus_message_open_container(message, 'a', contents);
                append_names(message, words + 1, values);
                (void) sd_bus_message_close_container(message);
                (void) sd_bus_message_close_container(message);
        }
}

static sd_bus_message *make_call(const char *signature, char **words) {
        sd_bus_message *message = NULL;
        const bool values = strstr(signature, "{ss}");

        g_assert_cmpint(sd_bus_message_new_method_call(unconnected(), &message, "org.nestvirt1", "/org/nestvirt1",
                                                       "org.nestvirt1.Manager", "Set"),
                        >=, 0);
        if (*signature) {
                g_assert_cmpint(sd_bus_message_open_container(message, 'a', signature + 1), >=, 0);
                if (g_str_has_prefix(signature, "a{sa"))
                        append_modules(message, words, values);
                else
                        append_names(message, words, values);
                g_assert_cmpint(sd_bus_message_close_container(message), >=, 0);
        }
        g_assert_cmpint(sd_bus_message_append(message, "t", (uint64_t) 0), >=, 0);
        g_assert_cmpint(sd_bus_message_seal(message, 1, 0), >=, 0);
        return message;
}

static void check_refusal(const GError *error) {
        const Condition condition = condition_of(error);

        fuzz_assert_line(error->message);
        g_assert_cmpint(condition == CONDITION_INVALID_ARGS || condition == CONDITION_INVALID_VALUE ||
                                        condition == CONDITION_NO_SUCH_PARAMETER || condition == CONDITION_UNSUPPORTED,
                        !=, 0);
}

static void check_request(const Request *request) {
        g_autoptr(Dropin) dropin = dropin_parse(""), again = NULL;
        g_autofree char *text = NULL;

        g_assert_cmpuint(request->settings->len, <=, REQUEST_MAX);
        for (unsigned i = 0; i < request->settings->len; i++) {
                const Setting *setting = g_ptr_array_index(request->settings, i);
                g_assert_null(dropin_get(dropin, setting->module, setting->name));
                if (!setting->value)
                        continue;
                const Parameter *parameter = catalog_find(setting->module, setting->name);
                g_assert_nonnull(parameter);
                g_autofree char *normal = catalog_normalise(parameter, host()->release, setting->value, NULL);
                g_assert_cmpstr(normal, ==, setting->value);
                dropin_set(dropin, setting->module, setting->name, setting->value);
        }
        text = dropin_render(dropin);
        again = dropin_parse(text ?: "");
        g_assert_true(dropin_same(dropin, again));
}

static void check_call(unsigned method, sd_bus_message *message, bool fits) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GArray) words = methods[method].read(message, methods[method].module, &error);
        g_autoptr(Request) request = request_new(0);

        g_assert_true(!words == !!error);
        if (error) {
                g_assert_error(error, CONDITION, CONDITION_INVALID_ARGS);
                check_refusal(error);
                return;
        }
        g_assert_true(fits);
        g_assert_cmpuint(words->len, <=, REQUEST_MAX);
        if (operation_apply(words, host(), request, &error))
                check_request(request);
        else
                check_refusal(error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        g_autofree char *choice = fuzz_take(&data, &size, NULL);
        g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
        const unsigned method = (unsigned char) choice[0] % G_N_ELEMENTS(methods);
        const unsigned shape = *choice && choice[1] ? (unsigned char) choice[1] % G_N_ELEMENTS(methods) : method;

        while (size > 0) {
                g_autofree char *word = fuzz_take(&data, &size, NULL);
                /* The bus takes nothing else. */
                g_ptr_array_add(words, g_utf8_make_valid(word, -1));
        }
        g_ptr_array_add(words, NULL);
        sd_bus_message *message = make_call(methods[shape].signature, (char **) words->pdata);
        check_call(method, message, shape == method || !*methods[method].signature);
        (void) sd_bus_message_unref(message);
        return 0;
}
