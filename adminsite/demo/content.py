"""What the demo company calls its links: teams, what each keeps, and the systems it searches.

All of it is made up; the hosts are those kept for examples.
"""

# name of the team, the word for it in slugs and addresses
TEAMS = (
    ("Design", "design"),
    ("Platform", "platform"),
    ("Data", "data"),
    ("IT security", "it-security"),
    ("Mobile", "mobile"),
    ("Web", "web"),
    ("Research", "research"),
    ("Support desk", "support-desk"),
    ("Sales", "sales"),
    ("Marketing", "marketing"),
    ("Accounts", "accounts"),
    ("Legal", "legal"),
    ("People", "people"),
    ("Workplace", "workplace"),
    ("Translation", "translation"),
)

# the word in the slug, title, where it lives, tags
TOPICS = (
    ("handbook", "handbook", "https://wiki.example.com/teams/{team}/handbook", "Docs"),
    ("roadmap", "roadmap", "https://plan.example.com/{team}/roadmap?view=quarters", "Planning"),
    ("board", "board", "https://plan.example.com/{team}/board", "Planning;Daily"),
    ("retro", "retrospectives", "https://wiki.example.com/teams/{team}/retrospectives", "Docs"),
    ("notes", "meeting notes", "https://wiki.example.com/teams/{team}/meetings", "Docs;Daily"),
    ("goals", "goals this quarter", "https://plan.example.com/{team}/goals", "Planning"),
    ("metrics", "key figures", "https://charts.example.com/d/{team}-overview", "Dashboards"),
    ("budget", "budget", "https://sheets.example.com/accounts/{team}/budget", "Money"),
    ("oncall", "on-call rota", "https://pager.example.com/teams/{team}/rota", "On-call;Daily"),
    ("runbooks", "runbooks", "https://wiki.example.com/teams/{team}/runbooks", "On-call;Docs"),
    ("hiring", "open positions", "https://jobs.example.com/teams/{team}", "Hiring"),
    ("start", "first week here", "https://wiki.example.com/teams/{team}/first-week", "Onboarding"),
    ("faq", "questions and answers", "https://wiki.example.com/teams/{team}/faq", "Docs"),
    ("chat", "channel", "https://chat.example.com/channels/{team}", "Daily"),
    ("calendar", "calendar", "https://calendar.example.com/embed?src={team}&mode=week", "Daily"),
    ("vendors", "vendors", "https://sheets.example.com/purchasing/{team}/vendors", "Money"),
    ("archive", "archive", "https://files.example.com/archive/{team}/", "Docs"),
    ("feedback", "tell us", "https://forms.example.com/{team}/feedback", "Forms"),
    ("reading", "reading list", "https://wiki.example.com/teams/{team}/reading", "Learning"),
    ("demo-day", "demo recordings", "https://video.example.com/channels/{team}/demos", "Learning"),
)

# slug, title, URL, tags, word of the owning team
SHARED = (
    ("lunch", "What is for lunch", "https://canteen.example.net/this-week", "Daily", "workplace"),
    ("wifi", "Guest Wi-Fi", "https://wiki.example.com/office/wifi", "Office", "workplace"),
    ("rooms", "Book a room", "https://rooms.example.com/", "Office;Daily", "workplace"),
    ("bikes", "Bike shed key", "https://forms.example.com/bike-shed", "Office;Forms", "workplace"),
    ("payslip", "Payslips", "https://pay.example.org/me", "Money;Daily", "people"),
    ("time-off", "Ask for leave", "https://pay.example.org/leave/new", "Forms", "people"),
    ("expenses", "Hand in expenses", "https://pay.example.org/expenses", "Money;Forms", "accounts"),
    ("travel", "Plan a trip", "https://travel.example.org/?account=demo", "Money", "accounts"),
    (
        "nda",
        "Confidentiality agreement",
        "https://files.example.com/legal/nda.pdf",
        "Forms",
        "legal",
    ),
    (
        "phishing",
        "Report a strange mail",
        "https://forms.example.com/phish",
        "Forms",
        "it-security",
    ),
    (
        "vpn",
        "Work from outside",
        "https://wiki.example.com/security/vpn",
        "Onboarding",
        "it-security",
    ),
    ("status", "Is it down?", "https://status.example.net/", "On-call;Daily", "platform"),
    ("deploys", "Last deployments", "https://ship.example.com/log?limit=50", "On-call", "platform"),
    ("incidents", "Open incidents", "https://pager.example.com/incidents", "On-call", "platform"),
    ("logos", "Logos to download", "https://files.example.com/brand/logos.zip", "Brand", "design"),
    ("icons", "Icon set", "https://icons.example.com/", "Brand;Docs", "design"),
    (
        "colours",
        "Colours and how to use them",
        "https://brand.example.com/colours",
        "Brand",
        "design",
    ),
    ("press", "Press kit", "https://brand.example.com/press", "Brand", "marketing"),
    ("talks", "Talks we gave", "https://video.example.com/talks", "Learning", "marketing"),
    ("prices", "Price list", "https://sheets.example.com/sales/prices", "Money", "sales"),
    ("glossary-ja", "用語集", "https://wiki.example.com/ja/用語集", "Docs;日本語", "translation"),
    (
        "glossary-el",
        "Γλωσσάρι",
        "https://wiki.example.com/el/γλωσσάρι",
        "Docs;Ελληνικά",
        "translation",
    ),
    (
        "glossary-he",
        "מילון מונחים",
        "https://wiki.example.com/he/terms",
        "Docs;עברית",
        "translation",
    ),
    (
        "party",
        "Summer party 🎉",
        "https://forms.example.com/summer-party",
        "Office;Forms",
        "people",
    ),
)

# system, its address, what can be looked up there
SYSTEMS = (
    (
        "pages",
        "https://wiki.example.com/search",
        ("titles", "people", "files", "changes", "drafts"),
    ),
    ("plan", "https://plan.example.com/find", ("tasks", "boards", "goals", "releases")),
    (
        "code",
        "https://code.example.com/search",
        ("files", "commits", "reviews", "owners", "builds"),
    ),
    ("chat", "https://chat.example.com/search", ("messages", "channels", "files")),
    ("files", "https://files.example.com/find", ("sheets", "slides", "scans", "contracts")),
    ("charts", "https://charts.example.com/search", ("boards", "figures", "alerts")),
    ("desk", "https://desk.example.com/search", ("tickets", "customers", "answers", "macros")),
    ("hires", "https://jobs.example.com/search", ("positions", "applicants", "interviews")),
    ("pay", "https://pay.example.org/search", ("invoices", "orders", "receipts", "suppliers")),
    ("pager", "https://pager.example.com/search", ("incidents", "services", "rotas")),
    ("logs", "https://logs.example.com/query", ("requests", "errors", "jobs", "traces")),
    ("video", "https://video.example.com/search", ("talks", "demos", "courses")),
)

# keyword, URL template, description
KEYWORDS = (
    (
        "colleague",
        "https://people.example.com/?q={slug}",
        "Find a colleague by name, team or language",
    ),
    ("task", "https://plan.example.com/t/{slug}", "Open a task by its number"),
    ("ticket", "https://desk.example.com/tickets/{slug}", "Open a support ticket by its number"),
    ("commit", "https://code.example.com/c/{slug}", "Open a commit by its hash"),
    ("room", "https://rooms.example.com/rooms/{slug}/today", "Who has a room today"),
    ("meaning", "https://dictionary.example.org/define?word={slug}&from=en", "Look a word up"),
    ("trace", 'https://logs.example.com/t?q={"id":"{slug}"}', "Follow one request by its id"),
    ("compare", "https://charts.example.com/vs?a={slug}&b={slug}-last", "This week and the last"),
)
