/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pings, each with a number, every 10 ms; see guest/numbers.c. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/if_ether.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "numbers.h"

#define PING_MS     10
#define PINGS       (1u << 22)  /* at most: for half a day */

static uint16_t checksum(const uint16_t *words, unsigned int count)
{
    uint32_t sum = 0;

    while (count--) {
        sum += *words++;
    }
    sum = (sum >> 16) + (sum & 0xffff);
    return ~(sum + (sum >> 16));
}

struct ping {
    struct icmphdr header;
    uint32_t number, id;
};

static struct {
    int fd;
    struct sockaddr_ll everyone;
    struct arphdr header;
    struct {
        uint8_t from_mac[ETH_ALEN], from[4], to_mac[ETH_ALEN], to[4];
    } addresses;
} announcement;

/* For the address from which the socket's packets go; false if errno says why not. */
static bool announcement_init(int pings)
{
    struct sockaddr_in from;
    socklen_t size = sizeof(from);
    struct ifaddrs *all, *one;
    struct ifreq nic = {};

    if (getsockname(pings, (struct sockaddr *)&from, &size) || getifaddrs(&all)) {
        return false;
    }
    for (one = all; one; one = one->ifa_next) {
        if (one->ifa_addr && one->ifa_addr->sa_family == AF_INET &&
            !memcmp(&((struct sockaddr_in *)one->ifa_addr)->sin_addr, &from.sin_addr, 4)) {
            strncpy(nic.ifr_name, one->ifa_name, sizeof(nic.ifr_name) - 1);
        }
    }
    freeifaddrs(all);
    announcement.fd = socket(AF_PACKET, SOCK_DGRAM, 0);
    if (announcement.fd < 0 || ioctl(announcement.fd, SIOCGIFHWADDR, &nic)) {
        return false;
    }
    announcement.header = (struct arphdr){
        .ar_hrd = htons(ARPHRD_ETHER),
        .ar_pro = htons(ETH_P_IP),
        .ar_hln = ETH_ALEN,
        .ar_pln = 4,
        .ar_op = htons(ARPOP_REQUEST),
    };
    memcpy(announcement.addresses.from_mac, nic.ifr_hwaddr.sa_data, ETH_ALEN);
    memcpy(announcement.addresses.from, &from.sin_addr, 4);
    memcpy(announcement.addresses.to, &from.sin_addr, 4);
    announcement.everyone = (struct sockaddr_ll){
        .sll_family = AF_PACKET,
        .sll_protocol = htons(ETH_P_ARP),
        .sll_ifindex = if_nametoindex(nic.ifr_name),
        .sll_halen = ETH_ALEN,
    };
    memset(announcement.everyone.sll_addr, 0xff, ETH_ALEN);
    return true;
}

/*
 * QEMU's user network does not know in another QEMU where the guest is.  It asks, and
 * drops what it has for a guest that takes over a second to answer.
 */
static void announce(void)
{
    struct {
        struct arphdr header;
        uint8_t addresses[sizeof(announcement.addresses)];
    } packet = { .header = announcement.header };

    memcpy(packet.addresses, &announcement.addresses, sizeof(packet.addresses));
    sendto(announcement.fd, &packet, sizeof(packet), 0,
           (struct sockaddr *)&announcement.everyone, sizeof(announcement.everyone));
}

/* Fails with ENOBUFS, and has sent nothing, while many wait for a slow back end. */
static bool send_ping(int fd, uint32_t number)
{
    struct ping ping = {
        .header.type = ICMP_ECHO,
        .number = number,
        .id = getpid(),
    };

    announce();
    ping.header.checksum = checksum((const uint16_t *)&ping, sizeof(ping) / 2);
    return send(fd, &ping, sizeof(ping), 0) == sizeof(ping);
}

/* Takes the next answer, unless none comes in this time; `answered` has all of them. */
static bool take_answer(int fd, bool *answered, int milliseconds)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    struct {
        struct iphdr ip;
        struct ping ping;
    } packet;

    if (poll(&p, 1, milliseconds) != 1) {
        return false;
    }
    if (recv(fd, &packet, sizeof(packet), 0) != sizeof(packet) ||
        packet.ping.header.type != ICMP_ECHOREPLY ||
        packet.ping.id != (uint32_t)getpid()) {
        return true;
    }
    if (packet.ping.number >= shared->pings || answered[packet.ping.number]) {
        error("a ping was answered twice", packet.ping.number, shared->pings);
        return true;
    }
    answered[packet.ping.number] = true;
    return true;
}

void send_pings(const char *address)
{
    struct sockaddr_in to = { .sin_family = AF_INET };
    int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    bool *answered = calloc(PINGS, sizeof(*answered));
    /* A busy guest may get all answers of a second at once, each in a page. */
    int room = 8 << 20;
    uint32_t number, end;

    if (!answered || fd < 0 || inet_pton(AF_INET, address, &to.sin_addr) != 1 ||
        connect(fd, (struct sockaddr *)&to, sizeof(to)) ||
        setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) ||
        !announcement_init(fd)) {
        error("no pings", errno, 0);
        return;
    }
    while (!shared->stop && shared->pings < PINGS) {
        int64_t next = now(CLOCK_MONOTONIC) + PING_MS * 1000000, left;

        if (send_ping(fd, shared->pings)) {
            shared->pings++;
        } else if (errno != ENOBUFS) {
            error("ping", errno, shared->pings);
            return;
        }
        /* All that have come, lest the socket lack room for the next. */
        do {
            left = next - now(CLOCK_MONOTONIC);
        } while (take_answer(fd, answered, left > 0 ? left / 1000000 + 1 : 0) ||
                 left > 0);
    }
    for (number = 0; number < shared->pings; number++) {
        while (!answered[number] && take_answer(fd, answered, ANSWER_MS)) {
        }
        if (!answered[number]) {
            break;
        }
    }
    /* None comes any more: those that lack, a line for all that follow each other. */
    for (; number < shared->pings; number = end) {
        for (end = number; end < shared->pings && !answered[end]; end++) {
        }
        if (end == number) {
            end++;
        } else {
            error("pings were not answered", number, end - number);
        }
    }
}
