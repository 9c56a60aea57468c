/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* L2, and what it does when it is told to. When there is only one level, L1 calls the same code. */

#include <stdbool.h>

#include "guest.h"
#include "l2.h"

static void do_cpuid(void) {
        uint32_t a = 0, b, c = 0, d;

        __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
}

static void touch(uint64_t page) {
        *(volatile uint64_t *) (WINDOW + (page << 12)) = page;
}

/* In rdi, as L1 expects it. */
static void unmap(uint64_t page) {
        entries(L2_TABLES)[page] = 0;
        __asm__ volatile("invlpg (%0)" : : "D"(WINDOW + (page << 12)) : "memory");
}

static void reload_cr3(void) {
        uint64_t cr3;

        __asm__ volatile("mov %%cr3, %0\n\tmov %0, %%cr3" : "=a"(cr3) : : "memory");
}

static void process(void) {
        reload_cr3();
        for (uint64_t page = 0; page < WINDOW_PAGES; page++)
                touch(page);
        for (uint64_t page = 0; page < WINDOW_PAGES; page++)
                unmap(page);
}

static void operate(Operation operation, uint32_t i) {
        switch (operation) {
        case OPERATION_CPUID:
                do_cpuid();
                break;
        case OPERATION_PORT:
                out(PORT_L2);
                break;
        case OPERATION_TOUCH:
                touch(i % WINDOW_PAGES);
                break;
        case OPERATION_CR3:
                reload_cr3();
                break;
        case OPERATION_FAULT:
                touch(i % WINDOW_PAGES);
                unmap(i % WINDOW_PAGES);
                break;
        case OPERATION_WORKLOAD:
                process();
                break;
        default:
                __asm__ volatile("" : : : "memory");
        }
}

static void loop(uint32_t count) {
        __asm__ volatile("1: dec %0\n\tjnz 1b" : "+r"(count) : : "cc");
}

void l2_operation(void) {
        const Operation operation = order->operation;
        const uint32_t count = order->count;

        if (operation == OPERATION_LOOP && count > 0) {
                loop(count);
                return;
        }
        for (uint32_t i = 0; i < count; i++)
                operate(operation, i);
}

void l2_main(void) {
        const bool vmx = order->vmx;

        l2_operation();
        if (vmx)
                __asm__ volatile("vmcall" : : : "memory");
        else
                __asm__ volatile("vmmcall" : : : "memory");
}
