#include "base/zone_names.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/nearest.h"
#include "base/zone.h"

enum { FOLDER_DEPTH_MAX = 3, NAMES_MAX = 10000 };

const char *zone_names_dir(void)
{
    const char *dir = getenv("TZDIR");
    return dir && *dir ? dir : "/usr/share/zoneinfo";
}

bool zone_names_is_possible(struct str name)
{
    bool is_start = true;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool is_more = (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '+';
        if (is_start ? !is_letter : !is_letter && !is_more && c != '/') {
            return false;
        }
        is_start = c == '/';
    }
    return name.len > 0 && name.len <= ZONE_NAME_MAX && !is_start;
}

struct name_search {
    struct str wanted;
    struct nearest nearest;
    char found[ZONE_NAME_MAX + 1]; // what nearest's name is, in memory of our own
    bool is_certain;               // only the case differs, or the region was left out
    size_t seen;
};

static struct str last_part(struct str name)
{
    const char *slash = memrchr(name.data, '/', name.len);
    return slash ? (struct str){slash + 1, (size_t)(name.data + name.len - slash - 1)} : name;
}

static void offer(struct name_search *s, struct str name)
{
    bool is_certain = str_eq_nocase(name, s->wanted) || str_eq_nocase(last_part(name), s->wanted);
    nearest_offer(&s->nearest, name);
    if (is_certain || s->nearest.name.data == name.data) {
        memcpy(s->found, name.data, name.len);
        s->found[name.len] = '\0';
        s->nearest.name = str_from(s->found);
        s->is_certain = is_certain;
    }
}

static bool is_of_zones(const struct dirent *entry, size_t prefix_len)
{
    bool is_upper = entry->d_name[0] >= 'A' && entry->d_name[0] <= 'Z'; // not posix/, right/
    return entry->d_name[0] != '.' && (prefix_len > 0 || is_upper) && !strchr(entry->d_name, '.');
}

// prefix: "" or "America/", below the folder `dir`.
static void search(struct name_search *s, const char *dir, const char *prefix, int depth)
{
    char path[FILE_PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", dir, prefix);
    DIR *folder = opendir(path);
    const struct dirent *entry;
    while (folder && !s->is_certain && s->seen < NAMES_MAX && (entry = readdir(folder))) {
        char name[ZONE_NAME_MAX + 1];
        struct stat st;
        int len = snprintf(name, sizeof name, "%s%s", prefix, entry->d_name);
        s->seen++;
        if (!is_of_zones(entry, strlen(prefix)) || len < 0 || (size_t)len >= sizeof name - 1 ||
            fstatat(dirfd(folder), entry->d_name, &st, 0) != 0) {
            continue;
        }
        if (S_ISDIR(st.st_mode) && depth < FOLDER_DEPTH_MAX) {
            name[len] = '/';
            name[len + 1] = '\0';
            search(s, dir, name, depth + 1);
        } else if (S_ISREG(st.st_mode)) {
            offer(s, (struct str){name, (size_t)len});
        }
    }
    if (folder) {
        closedir(folder);
    }
}

int zone_names_refuse(struct str name, struct err *e)
{
    struct stat st;
    struct str shown = {name.data, name.len < ZONE_NAME_MAX ? name.len : ZONE_NAME_MAX};
    if (stat(zone_names_dir(), &st) != 0) {
        return err_set(e, ERR_NOT_FOUND,
                       "\"" STR_FMT "\": %s is not there: install the package tzdata, or name the "
                       "folder in TZDIR",
                       STR_ARG(shown), zone_names_dir());
    }
    struct name_search s = {.wanted = shown};
    nearest_init(&s.nearest, shown);
    search(&s, zone_names_dir(), "", 1);
    bool is_near = s.found[0] != '\0';
    return err_set(e, ERR_NOT_FOUND, "\"" STR_FMT "\" is no time zone%s%s%s", STR_ARG(shown),
                   is_near ? "; did you mean \"" : ", such as \"Europe/Berlin\"",
                   is_near ? s.found : "", is_near ? "\"?" : "");
}
