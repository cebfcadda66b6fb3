/* SPDX-License-Identifier: GPL-2.0-or-later */
/* printf() of a few conversions: %s %c %d %u %x %p, with l, ll and a width. */

#include "internal.h"

struct line {
    char text[256];
    size_t length;
};

static void put(struct line *line, char c)
{
    if (line->length < sizeof(line->text)) {
        line->text[line->length++] = c;
    }
}

/* 64-bit division: 32-bit code has no compiler's library for it here. */
static unsigned int divide(uint64_t *number, uint32_t by)
{
    uint32_t high = *number >> 32, low = *number, remainder = high % by;

    high /= by;
    asm("divl %2" : "+a"(low), "+d"(remainder) : "r"(by));
    *number = (uint64_t)high << 32 | low;
    return remainder;
}

static void put_number(struct line *line, uint64_t number, unsigned int base,
                       bool negative, unsigned int width, char fill)
{
    char digits[24];
    unsigned int nr = 0;

    do {
        digits[nr++] = "0123456789abcdef"[divide(&number, base)];
    } while (number);
    if (negative) {
        digits[nr++] = '-';
    }
    for (; width > nr; width--) {
        put(line, fill);
    }
    while (nr) {
        put(line, digits[--nr]);
    }
}

void print_list(const char *format, va_list list)
{
    struct line line = { .length = 0 };
    const char *string;

    for (; *format; format++) {
        unsigned int width = 0, longs = 0;
        char fill = ' ';
        int64_t value;

        if (*format != '%') {
            put(&line, *format);
            continue;
        }
        if (*++format == '0') {
            fill = '0';
        }
        for (; *format >= '0' && *format <= '9'; format++) {
            width = width * 10 + (*format - '0');
        }
        for (; *format == 'l'; format++) {
            longs++;
        }
        switch (*format) {
        case 's':
            for (string = va_arg(list, const char *); *string; string++) {
                put(&line, *string);
            }
            break;
        case 'c':
            put(&line, va_arg(list, int));
            break;
        case 'd':
            value = longs > 1 ? va_arg(list, long long) :
                    longs     ? va_arg(list, long) :
                                va_arg(list, int);
            put_number(&line, value < 0 ? 0 - (uint64_t)value : (uint64_t)value,
                       10, value < 0, width, fill);
            break;
        case 'u':
        case 'x':
            value = longs > 1 ? va_arg(list, unsigned long long) :
                    longs     ? va_arg(list, unsigned long) :
                                va_arg(list, unsigned int);
            put_number(&line, value, *format == 'x' ? 16 : 10, false, width,
                       fill);
            break;
        case 'p':
            put_number(&line, (uintptr_t)va_arg(list, void *), 16, false, width,
                       fill);
            break;
        default:
            put(&line, *format);
        }
    }
    console_write(line.text, line.length);
}

void print(const char *format, ...)
{
    va_list list;

    va_start(list, format);
    print_list(format, list);
    va_end(list);
}
