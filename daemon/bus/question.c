/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <glib.h>

#include "names.h"
#include "question.h"

#define N_(text) text

/* As request_when() calls them; the messages below are in this order. */
static const char *const times[] = {"now", "runtime", "next-boot", "when-idle"};

static const char *const set_messages[G_N_ELEMENTS(times)] = {
                N_("Authentication is required to change virtualization on this computer, now and after each boot: "
                   "$(parameters)"),
                N_("Authentication is required to change virtualization on this computer until the next boot: "
                   "$(parameters)"),
                N_("Authentication is required to change virtualization on this computer from the next boot on: "
                   "$(parameters)"),
                N_("Authentication is required to change virtualization on this computer as soon as no virtual machine "
                   "runs: $(parameters)"),
};

static const char *const reset_messages[G_N_ELEMENTS(times)] = {
                N_("Authentication is required to reset virtualization on this computer, now and after each boot: "
                   "$(parameters)"),
                N_("Authentication is required to take back what changes virtualization on this computer until the "
                   "next boot: $(parameters)"),
                N_("Authentication is required to reset virtualization on this computer from the next boot on: "
                   "$(parameters)"),
                N_("Authentication is required to reset virtualization on this computer as soon as no virtual machine "
                   "runs: $(parameters)"),
};

static const Question questions[] = {
                {IFACE_MANAGER, "SetParameters", ACTION_MANAGE_MODULES, NULL, set_messages},
                {IFACE_MANAGER, "ResetParameters", ACTION_MANAGE_MODULES, NULL, reset_messages},
                {IFACE_MANAGER, "Apply", ACTION_MANAGE_MODULES, NULL, set_messages},
                {IFACE_MANAGER, "Apply", ACTION_MANAGE_GUESTS,
                 N_("Authentication is required to change virtual machines as the desired state of this computer has "
                    "them: $(guest)")},
                {IFACE_MANAGER, "SetCpus", ACTION_MANAGE_GUESTS,
                 N_("Authentication is required to change the CPU of the virtual machines $(guest): $(parameters)")},
                {IFACE_MANAGER, "Probe", ACTION_PROBE,
                 N_("Authentication is required to try out nested virtualization on this computer")},
                {IFACE_MANAGER, "EnsureDevice", ACTION_MANAGE_DEVICE,
                 N_("Authentication is required to create or mend the device /dev/kvm of this computer")},
                {IFACE_MODULE, "SetParameters", ACTION_MANAGE_MODULES, NULL, set_messages},
                {IFACE_MODULE, "ResetParameters", ACTION_MANAGE_MODULES, NULL, reset_messages},
                {IFACE_MODULE, "Reload", ACTION_MANAGE_MODULES,
                 N_("Authentication is required to restart virtualization on this computer: reload $(module)")},
                {IFACE_MODULE, "CancelPending", ACTION_MANAGE_MODULES,
                 N_("Authentication is required to call off the change of $(module) that waits until no virtual "
                    "machine runs")},
                {IFACE_GUEST, "SetCpu", ACTION_MANAGE_GUESTS,
                 N_("Authentication is required to change the CPU of the virtual machine $(guest): $(parameters)")},
                {IFACE_GUEST, "Prepare", ACTION_MANAGE_GUESTS,
                 N_("Authentication is required to prepare the virtual machine $(guest) for running virtual machines "
                    "itself: $(parameters)")},
};

const Question question_reading = {.action = ACTION_READ_DETAILS, .message = ""};

const Question *question_find(const char *interface, const char *member, const char *action) {
        for (gsize i = 0; i < G_N_ELEMENTS(questions); i++)
                if (g_strcmp0(interface, questions[i].interface) == 0 && g_strcmp0(member, questions[i].member) == 0 &&
                    (!action || g_str_equal(action, questions[i].action)))
                        return &questions[i];
        return NULL;
}

const char *question_message(const Question *question, const char *when) {
        if (!question->messages)
                return question->message;
        for (gsize i = 1; i < G_N_ELEMENTS(times); i++)
                if (g_str_equal(when, times[i]))
                        return question->messages[i];
        return question->messages[0];
}
