#include "cli/sample_locale.h"

#include <string.h>

#define WORDS(list)                                              \
    {                                                            \
        .items = (list), .count = sizeof(list) / sizeof(*(list)) \
    }

static const char *const en_first[] = {
    "James",  "Mary",    "Robert",  "Patricia", "John",    "Jennifer", "Michael", "Linda",
    "David",  "Barbara", "William", "Susan",    "Richard", "Jessica",  "Joseph",  "Karen",
    "Thomas", "Sarah",   "Daniel",  "Nancy",    "Matthew", "Lisa",     "Anthony", "Betty",
    "Mark",   "Sandra",  "Donald",  "Ashley",   "Steven",  "Emily",    "Andrew",  "Kimberly",
    "Paul",   "Donna",   "Joshua",  "Michelle", "Kenneth", "Carol",    "Kevin",   "Amanda",
    "Brian",  "Melissa", "George",  "Deborah",  "Timothy", "Rebecca",  "Jason",   "Laura",
    "Edward", "Helen",   "Jeffrey", "Amy",      "Ryan",    "Angela",   "Jacob",   "Anna",
    "Gary",   "Ruth",    "Eric",    "Grace",
};
static const char *const en_last[] = {
    "Smith",   "Johnson",  "Williams", "Brown",    "Jones",    "Miller", "Davis",  "Wilson",
    "Taylor",  "Anderson", "Thomas",   "Jackson",  "White",    "Harris", "Martin", "Thompson",
    "Moore",   "Clark",    "Lewis",    "Walker",   "Hall",     "Young",  "Allen",  "King",
    "Wright",  "Scott",    "Green",    "Baker",    "Adams",    "Nelson", "Hill",   "Campbell",
    "Carter",  "Mitchell", "Roberts",  "Turner",   "Phillips", "Parker", "Evans",  "Edwards",
    "Collins", "Stewart",  "Morris",   "Murphy",   "Cook",     "Rogers", "Morgan", "Cooper",
    "Reed",    "Bailey",   "Bell",     "O'Connor", "O'Neill",  "Kelly",  "Howard", "Ward",
    "Cox",     "Brooks",   "Gray",     "Bennett",
};
static const char *const en_streets[] = {
    "Maple Street",    "Oak Avenue",    "Main Street",     "Cedar Lane",     "Park Road",
    "Washington Ave",  "Lake Drive",    "Hill Street",     "Pine Court",     "Elm Street",
    "Sunset Blvd",     "River Road",    "Church Street",   "Highland Ave",   "Walnut Street",
    "Spring Lane",     "Forest Drive",  "Meadow Court",    "Chestnut St",    "Jefferson Ave",
    "Franklin Street", "Mill Road",     "Prospect Street", "Ridge Road",     "Willow Way",
    "Broadway",        "Market Street", "Union Street",    "Valley View Dr", "St. John's Place",
};
static const struct sample_city en_cities[] = {
    {"New York", "NY", "100##"},      {"Los Angeles", "CA", "900##"},
    {"Chicago", "IL", "606##"},       {"Houston", "TX", "770##"},
    {"Phoenix", "AZ", "850##"},       {"Philadelphia", "PA", "191##"},
    {"San Antonio", "TX", "782##"},   {"San Diego", "CA", "921##"},
    {"Dallas", "TX", "752##"},        {"Austin", "TX", "787##"},
    {"Columbus", "OH", "432##"},      {"Charlotte", "NC", "282##"},
    {"Seattle", "WA", "981##"},       {"Denver", "CO", "802##"},
    {"Boston", "MA", "021##"},        {"Nashville", "TN", "372##"},
    {"Portland", "OR", "972##"},      {"Las Vegas", "NV", "891##"},
    {"Milwaukee", "WI", "532##"},     {"Albuquerque", "NM", "871##"},
    {"Tucson", "AZ", "857##"},        {"Sacramento", "CA", "958##"},
    {"Atlanta", "GA", "303##"},       {"Omaha", "NE", "681##"},
    {"Minneapolis", "MN", "554##"},   {"New Orleans", "LA", "701##"},
    {"Coeur d'Alene", "ID", "838##"},
};

static const char *const de_first[] = {
    "Lukas",    "Anna",   "Leon",    "Marie",    "Finn",   "Sophie", "Jonas",   "Emma",
    "Paul",     "Hannah", "Felix",   "Lena",     "Max",    "Lea",    "Jürgen",  "Käthe",
    "Björn",    "Sabine", "Stefan",  "Petra",    "Dieter", "Monika", "Günther", "Ursula",
    "Heinz",    "Renate", "Klaus",   "Brigitte", "Uwe",    "Gisela", "Jörg",    "Bärbel",
    "Matthias", "Katrin", "Andreas", "Heike",    "Tobias", "Julia",  "Sören",   "Franziska",
};
static const char *const de_last[] = {
    "Müller",   "Schmidt",  "Schneider", "Fischer",    "Weber",  "Meyer",   "Wagner",  "Becker",
    "Schulz",   "Hoffmann", "Schäfer",   "Koch",       "Bauer",  "Richter", "Klein",   "Wolf",
    "Schröder", "Neumann",  "Schwarz",   "Zimmermann", "Braun",  "Krüger",  "Hofmann", "Hartmann",
    "Lange",    "Schmitt",  "Werner",    "Krause",     "Meier",  "Lehmann", "Köhler",  "Maier",
    "Weiß",     "Jung",     "Groß",      "Vogel",      "Möller", "Jäger",   "Böhm",    "Strauß",
};
static const char *const de_streets[] = {
    "Hauptstraße", "Schulstraße",  "Gartenweg",     "Bahnhofstraße", "Dorfstraße",
    "Bergstraße",  "Lindenallee",  "Kirchgasse",    "Waldweg",       "Ringstraße",
    "Am Mühlbach", "Goethestraße", "Schillerplatz", "Wiesengrund",   "Feldstraße",
    "Rosenweg",    "Marktplatz",   "Königsallee",   "An der Brücke", "Birkenweg",
};
static const struct sample_city de_cities[] = {
    {"Berlin", "Berlin", "101##"},
    {"Hamburg", "Hamburg", "200##"},
    {"München", "Bayern", "803##"},
    {"Köln", "Nordrhein-Westfalen", "506##"},
    {"Frankfurt am Main", "Hessen", "603##"},
    {"Stuttgart", "Baden-Württemberg", "701##"},
    {"Düsseldorf", "Nordrhein-Westfalen", "402##"},
    {"Leipzig", "Sachsen", "041##"},
    {"Dresden", "Sachsen", "010##"},
    {"Nürnberg", "Bayern", "904##"},
    {"Münster", "Nordrhein-Westfalen", "481##"},
    {"Saarbrücken", "Saarland", "661##"},
    {"Lübeck", "Schleswig-Holstein", "235##"},
    {"Erfurt", "Thüringen", "990##"},
    {"Rostock", "Mecklenburg-Vorpommern", "180##"},
};

static const char *const fr_first[] = {
    "Jean",    "Marie",   "Pierre",   "Camille", "Louis",   "Chloé",   "Hugo",    "Léa",
    "Lucas",   "Manon",   "Théo",     "Inès",    "Gabriel", "Zoé",     "Raphaël", "Élodie",
    "Antoine", "Aurélie", "François", "Hélène",  "Nicolas", "Céline",  "Mathieu", "Amélie",
    "Jérôme",  "Noémie",  "Benoît",   "Anaïs",   "Olivier", "Margaux", "Rémi",    "Sylvie",
};
static const char *const fr_last[] = {
    "Martin",   "Bernard", "Dubois",  "Thomas",   "Robert",   "Richard",  "Petit",     "Durand",
    "Leroy",    "Moreau",  "Simon",   "Laurent",  "Lefèvre",  "Michel",   "Garcia",    "David",
    "Bertrand", "Roux",    "Vincent", "Fournier", "Morel",    "Girard",   "André",     "Lefebvre",
    "Mercier",  "Dupont",  "Lambert", "Bonnet",   "François", "Gauthier", "Chevalier", "D'Arcy",
};
static const char *const fr_streets[] = {
    "rue de la Paix",   "avenue Victor-Hugo", "rue des Écoles",  "place de l'Église",
    "rue du Moulin",    "rue des Lilas",      "chemin des Prés", "boulevard Voltaire",
    "rue de la Gare",   "allée des Tilleuls", "rue du Château",  "quai des Brumes",
    "rue Saint-Honoré", "impasse du Lavoir",  "rue de l'Abbaye", "avenue de la République",
};
static const struct sample_city fr_cities[] = {
    {"Paris", "Île-de-France", "750##"},
    {"Marseille", "Provence-Alpes-Côte d'Azur", "130##"},
    {"Lyon", "Auvergne-Rhône-Alpes", "690##"},
    {"Toulouse", "Occitanie", "310##"},
    {"Nice", "Provence-Alpes-Côte d'Azur", "060##"},
    {"Nantes", "Pays de la Loire", "440##"},
    {"Strasbourg", "Grand Est", "670##"},
    {"Bordeaux", "Nouvelle-Aquitaine", "330##"},
    {"Lille", "Hauts-de-France", "590##"},
    {"Rennes", "Bretagne", "350##"},
    {"Saint-Étienne", "Auvergne-Rhône-Alpes", "420##"},
    {"Besançon", "Bourgogne-Franche-Comté", "250##"},
    {"Orléans", "Centre-Val de Loire", "450##"},
};

static const char *const ja_first[] = {
    "翔太", "美咲", "大輔", "陽子", "健太", "さくら", "拓也", "恵子",
    "直樹", "由美", "太郎", "花子", "和也", "愛",     "誠",   "明美",
};
static const char *const ja_first_latin[] = {
    "shota", "misaki", "daisuke", "yoko",   "kenta",  "sakura", "takuya", "keiko",
    "naoki", "yumi",   "taro",    "hanako", "kazuya", "ai",     "makoto", "akemi",
};
static const char *const ja_last[] = {
    "佐藤", "鈴木", "高橋", "田中", "伊藤",   "渡辺", "山本", "中村",
    "小林", "加藤", "吉田", "山田", "佐々木", "山口", "松本", "井上",
};
static const char *const ja_last_latin[] = {
    "sato",      "suzuki", "takahashi", "tanaka", "ito",    "watanabe",  "yamamoto",  "nakamura",
    "kobayashi", "kato",   "yoshida",   "yamada", "sasaki", "yamaguchi", "matsumoto", "inoue",
};
static const char *const ja_streets[] = {
    "桜町",   "緑が丘", "本町", "中央", "栄町", "旭町",
    "若葉台", "東町",   "西町", "南町", "北町", "泉",
};
static const struct sample_city ja_cities[] = {
    {"新宿区", "東京都", "160-00##"}, {"横浜市", "神奈川県", "220-00##"},
    {"大阪市", "大阪府", "530-00##"}, {"名古屋市", "愛知県", "450-00##"},
    {"札幌市", "北海道", "060-00##"}, {"福岡市", "福岡県", "810-00##"},
    {"神戸市", "兵庫県", "650-00##"}, {"京都市", "京都府", "600-80##"},
    {"仙台市", "宮城県", "980-00##"}, {"広島市", "広島県", "730-00##"},
};

/* The telephone numbers are of ranges that are not given to anybody. */
static const struct sample_locale locales[] = {
    {.name = "en_US",
     .country = "USA",
     .phone = "+1-###-555-01##",
     .address = "# %",
     .first_names = WORDS(en_first),
     .last_names = WORDS(en_last),
     .streets = WORDS(en_streets),
     .cities = en_cities,
     .city_count = sizeof(en_cities) / sizeof(*en_cities)},
    {.name = "de_DE",
     .country = "Deutschland",
     .phone = "+49 30 23125###",
     .address = "% #",
     .first_names = WORDS(de_first),
     .last_names = WORDS(de_last),
     .streets = WORDS(de_streets),
     .cities = de_cities,
     .city_count = sizeof(de_cities) / sizeof(*de_cities)},
    {.name = "fr_FR",
     .country = "France",
     .phone = "+33 1 99 00 ## ##",
     .address = "#, %",
     .first_names = WORDS(fr_first),
     .last_names = WORDS(fr_last),
     .streets = WORDS(fr_streets),
     .cities = fr_cities,
     .city_count = sizeof(fr_cities) / sizeof(*fr_cities)},
    {.name = "ja_JP",
     .country = "日本",
     .phone = "+81-3-0000-####",
     .address = "%#番地",
     .first_names = WORDS(ja_first),
     .last_names = WORDS(ja_last),
     .first_latin = WORDS(ja_first_latin),
     .last_latin = WORDS(ja_last_latin),
     .streets = WORDS(ja_streets),
     .cities = ja_cities,
     .city_count = sizeof(ja_cities) / sizeof(*ja_cities)},
};
static const uint32_t locale_count = sizeof(locales) / sizeof(*locales);

_Static_assert(sizeof(ja_first) == sizeof(ja_first_latin), "names go item by item");
_Static_assert(sizeof(ja_last) == sizeof(ja_last_latin), "names go item by item");

const struct sample_locale *sample_locale_find(const char *name)
{
    for (uint32_t i = 0; i < locale_count; i++) {
        if (strcmp(locales[i].name, name) == 0) {
            return &locales[i];
        }
    }
    return NULL;
}

void sample_locale_list(struct buf *out)
{
    for (uint32_t i = 0; i < locale_count; i++) {
        buf_append_text(out, i > 0 ? ", " : "");
        buf_append_text(out, locales[i].name);
    }
}

/* U+00C0..U+00FF without their accents, "-" where there is no letter. The lists above hold nothing
 * beyond, where they have no Latin form of their own. */
static const char *const latin_1[64] = {
    "a", "a", "a", "a", "ae", "a", "ae", "c", "e", "e", "e", "e", "i",  "i", "i",  "i",
    "d", "n", "o", "o", "o",  "o", "oe", "-", "o", "u", "u", "u", "ue", "y", "th", "ss",
    "a", "a", "a", "a", "ae", "a", "ae", "c", "e", "e", "e", "e", "i",  "i", "i",  "i",
    "d", "n", "o", "o", "o",  "o", "oe", "-", "o", "u", "u", "u", "ue", "y", "th", "y",
};

void sample_append_folded(struct buf *out, const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (*p >= 'A' && *p <= 'Z') {
            buf_append_char(out, (char)(*p + 32));
        } else if ((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9')) {
            buf_append_char(out, (char)*p);
        } else if (*p == 0xC3 && p[1] >= 0x80 && p[1] <= 0xBF && *latin_1[p[1] - 0x80] != '-') {
            buf_append_text(out, latin_1[p[1] - 0x80]);
            p++;
        }
    }
}
