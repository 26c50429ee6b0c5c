/* Runs a fuzz target over the files of its corpus, so that the corpus is an ordinary test. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        exit(1);
    }
    static uint8_t data[1 << 20];
    size_t size = fread(data, 1, sizeof(data), file);
    (void)fclose(file);

    /* An exact copy on the heap, so that the sanitizer sees a read past the end. */
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy) {
        abort();
    }
    for (size_t i = 0; i < size; i++) {
        copy[i] = data[i];
    }
    (void)LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        (void)fprintf(stderr, "usage: %s CORPUS\n", argv[0]);
        return 2;
    }
    DIR *dir = opendir(argv[1]);
    if (!dir) {
        perror(argv[1]);
        return 1;
    }
    size_t count = 0;
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        if (entry->d_name[0] == '.') {
            continue;
        }
        char path[4096];
        (void)snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
        run_file(path);
        count++;
    }
    (void)closedir(dir);
    (void)printf("%zu inputs\n", count);
    return count > 0 ? 0 : 1;
}
